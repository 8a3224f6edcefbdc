"""An upstream that fails is left alone, tried once, and taken back when it answers."""

from __future__ import annotations

import pytest

from configs.gateway import Breaker
from serving.gateway.breaker import CircuitBreaker
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(Breaker(failures=3, open_seconds=5), clock)


def fail(breaker, times=1):
    for _ in range(times):
        breaker.sent()
        breaker.failed()


def test_it_opens_after_so_many_failures_in_a_row(breaker):
    fail(breaker, 2)
    assert (breaker.is_open, breaker.seconds_left()) == (False, 0.0)
    fail(breaker)
    assert (breaker.is_open, breaker.seconds_left()) == (True, 5.0)


def test_while_it_is_open_the_time_left_is_told(breaker, clock):
    fail(breaker, 3)
    clock.now = 4.0
    assert breaker.seconds_left() == 1.0


def test_then_one_request_may_try_and_the_others_wait_for_it(breaker, clock):
    fail(breaker, 3)
    clock.now = 5.0
    assert breaker.seconds_left() == 0.0
    breaker.sent()
    assert breaker.seconds_left() == 5.0


def test_a_trial_that_fails_opens_it_again_at_once(breaker, clock):
    fail(breaker, 3)
    clock.now = 6.0
    fail(breaker)
    assert breaker.seconds_left() == 5.0
    clock.now = 11.0
    assert breaker.seconds_left() == 0.0


def test_a_trial_that_nobody_waits_for_leaves_room_for_another(breaker, clock):
    fail(breaker, 3)
    clock.now = 5.0
    breaker.sent()
    breaker.abandoned()
    assert breaker.seconds_left() == 0.0


def test_failures_of_requests_sent_before_it_opened_keep_it_open(breaker, clock):
    for _ in range(5):
        breaker.sent()
    for _ in range(3):
        breaker.failed()
    clock.now = 2.0
    breaker.failed()
    assert breaker.seconds_left() == 5.0

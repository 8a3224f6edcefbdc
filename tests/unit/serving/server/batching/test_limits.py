"""Parameters that make no sense do not load a model."""

from __future__ import annotations

import pytest

from serving.protocol.status import Code, StatusError
from serving.server.batching.limits import Limits, limits_of
from serving.server.batching_parameters import BatchingParameters


def limits(*, strict: bool = False, **parameters) -> Limits:
    return limits_of(BatchingParameters(**parameters), strict=strict)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"allowed_batch_sizes": (2, 8), "max_batch_size": 10},
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 8; expected 10",
        ),
        ({"max_batch_size": 0}, "input_batch_size_limit must be positive; was 0"),
        ({"batch_timeout_micros": -1}, "batch_timeout_micros must be non-negative; was -1"),
        ({"max_enqueued_batches": -1}, "max_enqueued_batches must be positive; was -1"),
        ({"max_enqueued_batches": 0, "enable_large_batch_splitting": True}, "max_enqueued_batches must be positive; was 0"),
        (
            {"max_batch_size": 4, "max_execution_batch_size": 5, "enable_large_batch_splitting": True},
            "When enable_large_batch_splitting is true, input_batch_size_limit must be greater than or equal to max_execution_batch_size; "
            "they were 4 and 5",
        ),
        ({"max_execution_batch_size": 0, "enable_large_batch_splitting": True}, "max_execution_batch_size must be positive; was 0"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_senseless_parameters_are_refused(parameters, message, strict):
    with pytest.raises(StatusError) as caught:
        limits(strict=strict, **parameters)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)


@pytest.mark.parametrize("sizes", [(4, 2, 8), (4, 4, 8), (0, 8)])
def test_allowed_sizes_grow_which_upstream_does_not_ask_for(sizes):
    parameters = {"allowed_batch_sizes": sizes, "max_batch_size": 8}
    assert limits(strict=True, **parameters).allowed == sizes
    with pytest.raises(StatusError, match="must be positive and monotonically increasing"):
        limits(**parameters)


def test_a_queue_for_no_batch_is_one_for_a_single_batch():
    assert limits(max_enqueued_batches=0).max_enqueued_batches == 1


def test_the_execution_size_counts_only_with_splitting():
    assert limits(max_batch_size=8, max_execution_batch_size=4).max_batch == 8
    assert limits(max_batch_size=8, max_execution_batch_size=4, enable_large_batch_splitting=True).max_batch == 4
    assert limits(max_batch_size=8, enable_large_batch_splitting=True).max_batch == 8


def test_a_batch_is_padded_to_the_next_allowed_size_unless_it_is_empty():
    allowed = limits(allowed_batch_sizes=(2, 6), max_batch_size=6)
    assert [allowed.padded(rows) for rows in (0, 1, 2, 3, 6, 7)] == [0, 2, 2, 6, 6, 7]
    assert limits().padded(3) == 3

"""What a killed process left is told from what is in use, and from what cannot be judged from here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from serving.launchers.owner import LABEL, Owner, gone


@pytest.fixture
def me() -> Owner:
    return Owner.this_process()


def test_what_is_ours_is_in_use(me):
    assert gone(me.labels()) is False


def test_what_a_process_left_that_ended_is_known(me):
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        other.wait()
    assert gone(replace(me, pid=other.pid).labels()) is True


def test_a_later_process_with_the_same_number_is_another(me):
    assert gone(replace(me, started=me.started - 100).labels()) is True


@pytest.mark.parametrize("labels", [{}, {LABEL: "1"}, {f"{LABEL}.host": "h", f"{LABEL}.pid": "x", f"{LABEL}.started": "1"}])
def test_what_carries_no_owner_cannot_be_judged(labels):
    assert gone(labels) is None


def test_what_belongs_to_another_machine_cannot_be_judged(me):
    assert gone(replace(me, host="elsewhere", pid=1, started=1).labels()) is None


def test_labels_are_fit_for_kubernetes(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "_ünder score." + "x" * 80)
    for value in Owner.this_process().labels().values():
        assert len(value) <= 63
        assert value[0].isalnum()
        assert value[-1].isalnum()
        assert value.isascii()

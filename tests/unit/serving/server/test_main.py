"""The server's command: what it lets the libraries under it write into the log."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from serving.server.__main__ import set_up_logging


@pytest.fixture(autouse=True)
def as_before(monkeypatch) -> Iterator[None]:
    """Levels, handlers and environment of before the test when it is over."""
    for name in ("TF_CPP_MIN_LOG_LEVEL", "ABSL_MIN_LOG_LEVEL", "GRPC_VERBOSITY"):
        monkeypatch.setenv(name, "")  # so that what the test sets is taken back
        monkeypatch.delenv(name)
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("uvicorn", "grpc._cython.cygrpc"))]
    levels, handlers = [logger.level for logger in loggers], root.handlers[:]
    monkeypatch.setattr(root, "handlers", [])
    yield
    root.handlers = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize(("verbose", "shown"), [(False, False), (True, True)])
def test_what_strangers_send_is_not_worth_a_line_unless_verbose(verbose, shown):
    set_up_logging(verbose)
    assert logging.getLogger("uvicorn.error").isEnabledFor(logging.WARNING) is shown
    assert logging.getLogger("uvicorn.error").isEnabledFor(logging.ERROR)


@pytest.mark.parametrize(("verbose", "verbosity"), [(False, "NONE"), (True, None)])
def test_grpc_says_nothing_of_its_own_unless_verbose(verbose, verbosity):
    set_up_logging(verbose)
    assert os.environ.get("GRPC_VERBOSITY") == verbosity


def test_who_wants_to_read_grpc_may(monkeypatch):
    monkeypatch.setenv("GRPC_VERBOSITY", "DEBUG")
    set_up_logging(False)
    assert os.environ["GRPC_VERBOSITY"] == "DEBUG"

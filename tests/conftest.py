"""A green run is a whole one: nothing ends it half way, and in CI nothing is skipped.

A skip says why. ``SLUICEWAY_CI=1``, which .ci/run sets, turns it into a failure, unless the test cannot be meant on this stack at all:
then its reason starts with ``NOT_HERE``. ``SLUICEWAY_CI=again``, in the second half of .ci/run, leaves out what is marked ``once``.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn

import pytest

NOT_HERE = "not on this stack: "
_USE_CASES = Path(__file__).resolve().parents[1] / "pipeline" / "use_cases"


def pytest_configure() -> None:
    """Code under test that leaves the process with success would leave all tests after it out, and the run green."""
    own, leave = os.getpid(), os._exit

    def leave_unless_green(code: int) -> NoReturn:
        if code == 0 and os.getpid() == own:
            raise RuntimeError("os._exit(0) in the tests' own process: the tests after this one would not run, and nobody would know")
        leave(code)

    os._exit = leave_unless_green


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A use case that is removed takes its tests with it: those whose name nothing in ``pipeline/use_cases`` has."""
    if collection_path.parent.name != "use_cases" or collection_path.name.startswith(("_", "conftest")):
        return None
    name = collection_path.stem.removeprefix("test_")
    return None if (_USE_CASES / name).is_dir() or (_USE_CASES / f"{name}.py").is_file() else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is slow and asks nothing of TFX and TensorFlow was tested on the other stack a moment ago."""
    if os.environ.get("SLUICEWAY_CI") == "again":
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("once")])
        items[:] = [item for item in items if not item.get_closest_marker("once")]


def refused_skip(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """Why a report is a failure in CI although the test was only skipped; None when it is not."""
    if not os.environ.get("SLUICEWAY_CI") or not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = (report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)).removeprefix("Skipped: ")
    return None if reason.startswith(NOT_HERE) else f"skipped, and SLUICEWAY_CI allows no skip: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if failure := refused_skip(report):
        report.outcome, report.longrepr = "failed", failure
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if failure := refused_skip(report):
        report.outcome, report.longrepr = "failed", failure
    return report

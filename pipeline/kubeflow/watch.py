"""What a run's document says: the state of each node, and what the run came to. Pure; `follow.py` asks again and again.

The compiled pipeline has a task for each node, ``plan`` before them, and behind each gate a task ``refused-by-<gate>`` that runs only when
the gate said no. The engine adds tasks of its own: ``<task>-driver``, and ``executor`` below the task that it carries out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from configs.errors import ExitCode
from pipeline.kubeflow.documents import Run, Task
from pipeline.nodes import GATES
from pipeline.runners.base import NodeEvent, NodeState, RunVerdict
from serving.verdict import Reason

_STATES: Mapping[str, NodeState] = {
    "PENDING": "waiting",
    "RUNNING": "running",
    "PAUSED": "running",
    "CANCELING": "running",
    "SUCCEEDED": "done",
    "CACHED": "cached",
    "SKIPPED": "skipped",
    "FAILED": "failed",
    "CANCELED": "skipped",
}
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})
_EXECUTOR, _DRIVER, _REFUSED_BY, _LAST = "executor", "-driver", "refused-by-", "Pusher"
_NODES = {gate: node for node, gate in GATES.items()}


@dataclass(frozen=True)
class Ending:
    """What a run that ended came to."""

    verdict: RunVerdict
    exit_code: ExitCode
    gate: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One look at a run: each node as it stands, in order, and the ending where there is one."""

    nodes: tuple[NodeEvent, ...]
    ending: Ending | None


def read(run: Run, nodes: Sequence[str]) -> Reading:
    """What the document says of the nodes of that pipeline and of the run."""
    tasks = run.run_details.task_details
    refusing = _refusing(tasks)
    events = tuple(_event(name, tasks, refused=refusing is not None and GATES.get(name) == refusing) for name in nodes)
    return Reading(events, _ending(run, events, refusing) if run.state in ENDED else None)


def changes(before: Reading | None, now: Reading) -> list[NodeEvent]:
    """What there is to tell after ``before``. A node that ended between two looks is told as having run, too."""
    old = {event.name: event.state for event in before.nodes} if before else {}
    told: list[NodeEvent] = []
    for event in now.nodes:
        was = old.get(event.name, "waiting")
        if event.state == was:
            continue
        if was == "waiting" and event.ended and event.state not in {"skipped", "cached"}:
            told.append(NodeEvent(event.name, "running"))
        told.append(event)
    return told


def _plain(name: str) -> str:
    """A name without what KFP changes in it: ``ExampleGen`` is ``example-gen`` or ``examplegen`` there."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _named(tasks: Iterable[Task], name: str) -> Task | None:
    """The task of that name; the newest where it was started again."""
    found = [task for task in tasks if _plain(task.display_name) == _plain(name)]
    return max(found, key=lambda task: task.create_time.timestamp() if task.create_time else 0.0, default=None)


def _refusing(tasks: Sequence[Task]) -> str | None:
    """The gate that refused, by the name that verdicts have for it."""
    for task in tasks:
        if task.state == "SUCCEEDED" and task.display_name.lower().startswith(_REFUSED_BY):
            said = _plain(task.display_name.lower().removeprefix(_REFUSED_BY))
            if said.endswith(_plain(_DRIVER)):
                continue
            return next((gate for node, gate in GATES.items() if said in {_plain(gate), _plain(node)}), said)
    return None


def _event(name: str, tasks: Sequence[Task], *, refused: bool) -> NodeEvent:
    task = _named(tasks, name)
    if task is None:
        driver = _named(tasks, name + _DRIVER)
        return NodeEvent(name, "running" if driver and driver.state in {"RUNNING", "SUCCEEDED"} else "waiting")
    state = _STATES.get(task.state, "waiting")
    if refused and state == "done":
        return NodeEvent(name, "refused", task.seconds)
    if state == "done" and _was_cached(task, tasks):
        return NodeEvent(name, "cached", task.seconds)
    said = _first_line(task.error.message) if state == "failed" and task.error else ""
    return NodeEvent(name, state, task.seconds if state in {"done", "failed"} else 0.0, said)


def _was_cached(task: Task, tasks: Sequence[Task]) -> bool:
    """The driver found the outputs of an earlier run, so the executor was not needed."""
    children = {child.task_id for child in task.child_tasks if child.task_id} | {
        child.pod_name for child in task.child_tasks if child.pod_name
    }
    executors = [each for each in tasks if each.display_name == _EXECUTOR and {each.task_id, each.pod_name} & children]
    return bool(executors) and all(each.state == "SKIPPED" for each in executors)


def _ending(run: Run, events: Sequence[NodeEvent], refusing: str | None) -> Ending:
    tasks = run.run_details.task_details
    if run.state == "CANCELED":
        return _failed("canceled", "the run was canceled")
    if run.state != "SUCCEEDED":
        return _failed("failed", _what_failed(run, [event.name for event in events]))
    if refusing is not None:
        said = Reason(
            "refused",
            f"{_NODES.get(refusing, refusing)} refused the candidate; the task {_REFUSED_BY}{refusing} of the run shows its reasons",
        )
        return Ending("refused", ExitCode.REFUSED, refusing, (said,))
    if any(event.name == _LAST and event.state in {"done", "cached"} for event in events):
        return Ending("live", ExitCode.DONE)
    plan = _named(tasks, "plan")
    if plan is not None and plan.state == "SUCCEEDED" and not any(event.state == "done" for event in events):
        return Ending("unchanged", ExitCode.DONE)
    return _failed("no_verdict", f"the run succeeded, but {_LAST} did not run and no gate refused: it is no pipeline of sluiceway")


def _failed(code: str, message: str) -> Ending:
    return Ending("failed", ExitCode.FAILURE, None, (Reason(code, message),))


def _what_failed(run: Run, nodes: Sequence[str]) -> str:
    """The first task that failed and why: the innermost one, as those around it only repeat that something did."""
    tasks = run.run_details.task_details
    failed = sorted(
        (task for task in tasks if task.state == "FAILED"), key=lambda task: task.end_time.timestamp() if task.end_time else 0.0
    )
    names = {each: task for task in tasks for each in _identities(task)}
    parents = {child.task_id or child.pod_name: task for task in tasks for child in task.child_tasks}
    inner = [task for task in failed if not any(names.get(c.task_id or c.pod_name) in failed for c in task.child_tasks)]
    for task in inner or failed:
        shown = task
        while _plain(shown.display_name) == _EXECUTOR and (parent := _parent(shown, parents)) is not None:
            shown = parent
        said = next((_first_line(each.error.message) for each in (task, shown) if each.error and each.error.message), "")
        name = shown.display_name.removesuffix(_DRIVER)
        name = next((node for node in nodes if _plain(node) == _plain(name)), name)
        return f"{name} failed{f': {said}' if said else '; its log in the run says why'}"
    said = _first_line(run.error.message) if run.error else ""
    return said or "the run failed before any task did"


def _identities(task: Task) -> list[str]:
    return [each for each in (task.task_id, task.pod_name) if each]


def _parent(task: Task, parents: Mapping[str, Task]) -> Task | None:
    return next((parents[each] for each in _identities(task) if each in parents), None)


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= 300 else f"{line[:300]} ..."

"""One run of a use case, from configuration to what it came to. Imports TFX only when there is something to do."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from components.example_gen.columns import read_columns
from components.example_gen.source import Source
from configs.errors import ExitCode, SluicewayError, UsageError
from configs.schema import Settings
from pipeline.beam import check_beam, endpoints
from pipeline.data import use_case_source
from pipeline.fingerprint import files_digest, judging_digest, run_fingerprint, training_digest
from pipeline.guards import alone, disk_errors, own_temporary_folder
from pipeline.layout import Layout, layout_of
from pipeline.metrics import check_thresholds
from pipeline.nodes import node_names
from pipeline.runners.base import Listener, NodeEvent, Outcome, RunResult
from pipeline.staging import stage_data, stage_schema
from pipeline.use_cases.base import UseCase, get_use_case
from pipeline.use_cases.check import check_use_case
from pipeline.workers import check_reachable
from serving.errors import VersionDamaged
from serving.launchers import open_launcher, targets
from serving.store import open_store
from serving.store.base import Version, VersionStore
from serving.verdict import Reason


@dataclass(frozen=True)
class Checked:
    """A configuration that holds together with its use case and its data; nothing was written to find out."""

    use_case: UseCase
    settings: Settings
    layout: Layout
    source: Source
    columns: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """A checked run with its identity."""

    checked: Checked
    run_id: str
    code: str
    fingerprint: str

    @property
    def folder(self) -> Path:
        """Where this run keeps its log and its result."""
        return self.checked.layout.runs / self.run_id


def check(settings: Settings) -> Checked:
    """Hold configuration, use case and data against each other, without side effects.

    Raises:
        UsageError: something does not fit; the message says what, which value, and what is allowed.
    """
    use_case = get_use_case(settings.reference)
    check_thresholds(use_case.task, settings.use_case)
    check_beam(settings.environment)
    targets(settings.environment)
    columns = read_columns(use_case.schema_path)
    check_use_case(use_case, columns, settings.use_case.hparams)
    layout = layout_of(settings)
    _check_state(settings, layout)
    return Checked(use_case, settings, layout, use_case_source(use_case, settings, layout), columns)


def _check_state(settings: Settings, layout: Layout) -> None:
    """What runs leave behind must not be part of what a run is made of, or each would find something new."""
    if settings.folder is not None and layout.state.resolve().is_relative_to(Path(settings.folder).resolve()):
        raise UsageError(
            f"the state folder {layout.state} lies inside the use case's own folder, whose files decide what a run makes; "
            "run it from outside (sluiceway run ./<name>), or give another one: --set state=/a/folder"
        )


def plan(checked: Checked) -> Plan:
    """Give a checked run its identity."""
    code = training_digest(checked.use_case)
    files = files_digest(checked.use_case, checked.settings.use_case.hparams)
    fingerprint = run_fingerprint(checked.settings, checked.source.digest, code + files)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return Plan(checked, f"{stamp}-{secrets.token_hex(3)}", code, fingerprint)


def execute(
    planned: Plan, listener: Listener, prove: Callable[[Settings, Version], None], note: Callable[[str], None] = lambda _: None
) -> RunResult:
    """Run the pipeline, or find that there is nothing new.

    Args:
        listener: told each change of a node's state.
        prove: called with a version that was just published.
        note: told what goes on outside the nodes.

    Returns:
        What the run came to; a node that failed is a result too, with its error as the reason.

    Raises:
        RunUnderWay: another process runs this use case in this state folder.
    """
    layout, settings = planned.checked.layout, planned.checked.settings
    started = time.monotonic()
    names = node_names(tuner=settings.use_case.tuner.enabled)
    with alone(layout):
        store = open_store(settings.environment.store.kind, str(layout.store))
        result = _before(planned, store)
        seen: dict[str, NodeEvent] = {}
        try:
            with disk_errors(layout.state), own_temporary_folder(planned.folder):
                if nothing_new(planned, store):
                    seen = {name: NodeEvent(name, "cached") for name in names}
                else:
                    note("starting TFX ...")
                    outcome = _run_nodes(planned, _recorded(seen, listener))
                    result = _concluded(result, outcome, store, planned, prove)
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the run has a result; the log gets the traceback
            traceback.print_exc()
            result = _failed(result, error, store)
        nodes = tuple(seen.get(name, NodeEvent(name, "skipped")) for name in names)
        result = replace(result, nodes=nodes, seconds=time.monotonic() - started)
        # A full disk has no room for the result either; it is told all the same.
        with contextlib.suppress(OSError):
            _keep(planned.folder / "result.json", result.as_json())
        return result


def _before(planned: Plan, store: VersionStore) -> RunResult:
    """What a run comes to when it changes nothing."""
    name = planned.checked.settings.name
    live = store.live(name)
    return RunResult(
        use_case=name,
        verdict="unchanged",
        version=live.number if live else None,
        champion=live.number if live else None,
        run_id=planned.run_id,
        log=str(planned.folder / "log.txt"),
        metrics=dict(live.manifest.identity.metrics) if live else {},
    )


def nothing_new(planned: Plan, store: VersionStore) -> bool:
    """The live version was made of the very same data, configuration and code, and is whole."""
    settings = planned.checked.settings
    live = store.live(settings.name)
    if live is None or not settings.environment.cache or live.manifest.identity.fingerprint != planned.fingerprint:
        return False
    try:
        store.verify(settings.name, live.number)
    except VersionDamaged:
        # The run goes on: the pusher publishes the same content again, whole, as the next version.
        return False
    return True


def _failed(result: RunResult, error: Exception, store: VersionStore) -> RunResult:
    """The result of a run that broke; what was published before it broke stays published."""
    with contextlib.suppress(SluicewayError):
        live = store.live(result.use_case)
        result = replace(result, version=live.number if live else None)
    ours = isinstance(error, SluicewayError)
    message = str(error) if ours else f"unexpected {type(error).__name__}: {error}"
    code = error.exit_code if isinstance(error, SluicewayError) else ExitCode.FAILURE
    return replace(result, verdict="failed", exit_code=code, reasons=(Reason(type(error).__name__, message),))


def expected_seconds(layout: Layout) -> dict[str, float]:
    """How long each node took when it last really ran, for the time left."""
    seconds: dict[str, float] = {}
    for path in sorted(layout.runs.glob("*/result.json"))[-20:]:
        try:
            nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
            seconds.update({node["name"]: node["seconds"] for node in nodes if node["state"] in {"done", "refused"}})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return seconds


def _run_nodes(planned: Plan, listener: Listener) -> Outcome:
    # Before the imports below, which take many seconds.
    check_reachable(endpoints(planned.checked.settings.environment.beam))
    for target in targets(planned.checked.settings.environment):
        with open_launcher(target) as launcher:
            launcher.check()
    from components.infra_validator import standby
    from pipeline.definition import RunInputs, create_pipeline
    from pipeline.runners.local import LocalRunner

    checked = planned.checked
    data, schema = stage_data(checked.source, checked.layout), stage_schema(checked.use_case.schema_path, checked.layout)
    inputs = RunInputs(data, schema, planned.run_id, planned.fingerprint, planned.code, judging_digest())
    pipeline = create_pipeline(checked.use_case, checked.settings, checked.layout, inputs)

    def ahead(event: NodeEvent) -> None:
        # A server's start is mostly imports: it begins while the evaluator still works, and again for the proof at the end.
        if (event.name, event.state) in {("Evaluator", "running"), ("InfraValidator", "done")}:
            standby.prepare(targets(checked.settings.environment)[0], checked.settings.name)
        listener(event)

    try:
        return LocalRunner().run_nodes(pipeline, ahead, raw_label=checked.use_case.raw_label)
    except BaseException:
        standby.dismiss()
        raise


def _concluded(
    result: RunResult, outcome: Outcome, store: VersionStore, planned: Plan, prove: Callable[[Settings, Version], None]
) -> RunResult:
    from components.infra_validator import standby

    try:
        if outcome.refused is not None:
            store.refuse(result.use_case, outcome.refused, planned.run_id)
            result = replace(result, verdict="refused", exit_code=ExitCode.REFUSED, metrics=outcome.metrics)
            return replace(result, gate=outcome.refused.gate, reasons=outcome.refused.reasons)
        if outcome.pushed == "unchanged":
            return replace(result, metrics=outcome.metrics)
        version = store.live(result.use_case)
        if outcome.pushed != "publish" or version is None or version.number != outcome.version:
            raise SluicewayError(f"the pusher said {outcome.pushed} v{outcome.version}, the store says {version and version.number}")
        try:
            prove(planned.checked.settings, version)
        except SluicewayError as error:
            raise SluicewayError(f"{version.model} v{version.number} is published, but it was not seen to answer: {error}") from error
        return replace(result, verdict="live", version=version.number, metrics=outcome.metrics)
    finally:
        standby.dismiss()


def _recorded(seen: dict[str, NodeEvent], listener: Listener) -> Listener:
    def record(event: NodeEvent) -> None:
        seen[event.name] = event
        listener(event)

    return record


def _keep(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)

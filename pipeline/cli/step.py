"""``sluiceway step``: one node of the pipeline, as a container runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from configs.errors import ConfigError, ExitCode, SluicewayError, UsageError
from configs.schema import Settings
from pipeline.cli.options import data_option, data_override, quoted
from serving.cli_frame import json_option, print_json, settings_options
from serving.verdict import Verdict

_LOG_LINES = 100


@dataclass(frozen=True)
class Told:
    """What a step gives out beside its artifacts. ``metadata`` is by output key."""

    text: str
    page: str
    verdict: Verdict | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _pairs(_: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    shape = parameter.metavar or "KEY=VALUE"
    found: dict[str, str] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not separator or not key or not value:
            raise click.BadParameter(f"{text!r} is not {shape}")
        if key in found:
            raise click.BadParameter(f"{key!r} is given twice")
        found[key] = value
    return found


@click.command()
@click.argument("node")
@click.argument("use_case")
@settings_options
@data_option
@click.option("--input", "inputs", multiple=True, callback=_pairs, metavar="KEY=LOCATION", help="An input: a folder or a bucket URI.")
@click.option("--output", "outputs", multiple=True, callback=_pairs, metavar="KEY=LOCATION", help="Where an output goes.")
@click.option("--store", metavar="PATH", help="The version store, instead of the configured one.")
@click.option("--run-id", default="step", show_default=True, help="The run this step belongs to.")
@click.option("--plan", "planned", multiple=True, callback=_pairs, metavar="KEY=VALUE", help="A value that the step 'plan' gave.")
@click.option("--verdict-file", type=click.Path(path_type=Path), help="A gate writes its verdict there; 'refused' reads it.")
@click.option("--report-file", type=click.Path(path_type=Path), help="Write what the step came to there, as Markdown.")
@click.option("--executor-input", help="KFP's executor input, '{{$}}': write the executor output file that it names.")
@click.option("--refusal-ends-well", is_flag=True, help="Exit 0 when a gate refuses: the verdict says it, and nothing failed.")
@click.option("-v", "--verbose", is_flag=True, help="Show what the libraries print.")
@json_option
def step(node: str, use_case: str, environment: str, overrides: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Run one NODE of the pipeline of USE_CASE from plain input locations to plain output locations.

    Three more steps stand around the nodes: 'plan' says whether there is anything to do, 'refused' keeps a verdict in the ledger,
    'prove' asks the live version.

    \b
    Example:
      sluiceway step Schema taxi --output result=out/schema
      sluiceway step StatisticsGen taxi --input examples=out/examples --output statistics=out/statistics

    Ends with 0 when it is done, 3 when it is a gate that refused, 2 for wrong input, 1 when something failed.
    """
    from configs.load import load_settings
    from pipeline.use_cases.base import SHIPPED

    data = data_override(given["data"]) if given["data"] != SHIPPED else ["data.source=null"]
    store = [] if given["store"] is None else [f"store.path={quoted(given['store'])}"]
    settings = load_settings(use_case, environment, [*overrides, *data, *store])
    if node in _AROUND and (given["inputs"] or given["outputs"]):
        raise UsageError(f"the step {node!r} takes no --input and no --output; it has --verdict-file and --report-file")
    told = _quietly(node, settings, given)
    _write(given["report_file"], told.page)
    if told.verdict is not None and node != "refused":
        _write(given["verdict_file"], json.dumps(told.verdict.as_json(), indent=1, allow_nan=False) + "\n")
    if given["executor_input"] is not None:
        from pipeline.kubeflow.executor_output import write_executor_output

        write_executor_output(given["executor_input"], told.values, told.metadata)
    refused = told.verdict is not None and not told.verdict.accepted
    if as_json:
        verdict = told.verdict.as_json() if told.verdict is not None else None
        print_json({"node": node, "verdict": verdict, "values": told.values, "figures": told.figures, "outputs": given["outputs"]})
    else:
        click.secho(told.text, fg="red" if refused else None)
    return int(ExitCode.REFUSED if refused and not given["refusal_ends_well"] else ExitCode.DONE)


def _quietly(node: str, settings: Settings, given: Mapping[str, Any]) -> Told:
    """Run the step with the libraries' noise kept back; an orchestrator's container shows it where it failed: nothing else is left."""
    import tempfile

    from pipeline.cli.noise import kept_in

    with tempfile.TemporaryDirectory(prefix="sluiceway-step-") as folder:
        log = Path(folder) / "log.txt"
        try:
            with kept_in(log, verbose=given["verbose"]):
                return _AROUND[node](settings, given) if node in _AROUND else _node(node, settings, given)
        except UsageError:
            raise
        except SluicewayError:
            if given["executor_input"] is not None:
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                click.echo("\n".join(lines[-_LOG_LINES:]), err=True)
            raise


def _node(node: str, settings: Settings, given: Mapping[str, Any]) -> Told:
    from pipeline.places import properties
    from pipeline.step import StepRequest, run_step
    from pipeline.step_report import node_page

    keys = {"fingerprint", "code", "judging", "data_digest"}
    unknown = sorted(set(given["planned"]) - keys)
    if unknown:
        raise UsageError(f"--plan {unknown[0]}: no such value; allowed: {', '.join(sorted(keys))}")
    report = run_step(
        StepRequest(node, settings, inputs=given["inputs"], outputs=given["outputs"], run_id=given["run_id"], **given["planned"])
    )
    verdict = report.verdict
    values = {} if verdict is None else {"decision": "accepted" if verdict.accepted else "refused"}
    said = "done" if verdict is None else "accepted" if verdict.accepted else f"REFUSED: {verdict.reasons[0].message}"
    return Told(
        text=f"{node}: {said}" + (f" ({report.figure})" if report.figure else ""),
        page=node_page(node, verdict, report.figure, report.figures),
        verdict=verdict,
        values=values,
        figures=report.figures,
        metadata={key: properties(Path(place)) for key, place in given["outputs"].items() if "://" not in place}
        | {"metrics": {name: value for name, value in report.figures.items() if isinstance(value, int | float)}},
    )


def _plan(settings: Settings, given: Mapping[str, Any]) -> Told:
    from pipeline.around import plan_step
    from pipeline.step_report import plan_page

    del given
    planned = plan_step(settings)
    values = planned.values()
    text = f"plan: {planned.decision}; live is {f'v{planned.live}' if planned.live else 'nothing'}"
    return Told(text, plan_page(settings.name, planned.decision, planned.live, values), values=values, figures={"live": planned.live})


def _refused(settings: Settings, given: Mapping[str, Any]) -> Told:
    from pipeline.around import live_number, refused_step
    from pipeline.step_report import refusal_page

    path = given["verdict_file"]
    if path is None:
        raise UsageError("'refused' needs the gate's verdict: --verdict-file FILE")
    try:
        verdict = Verdict.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read as a verdict: {error}") from error
    if verdict.accepted:
        raise UsageError(f"{path}: this verdict accepts; there is no refusal to keep")
    refused_step(settings, verdict, given["run_id"])
    text = f"REFUSED by {verdict.gate}: {verdict.reasons[0].message}"
    return Told(text, refusal_page(settings.name, verdict, live_number(settings)), verdict=verdict)


def _prove(settings: Settings, given: Mapping[str, Any]) -> Told:
    from pipeline.around import prove_step
    from pipeline.layout import layout_of
    from pipeline.step_report import live_page

    del given
    version, answers = prove_step(settings)
    if version is None:
        raise ConfigError(f"nothing of {settings.name} is live in {layout_of(settings).store}: there is nothing to prove")
    shown = [(answer.transport, json.dumps(answer.outputs, default=str)) for answer in answers]
    return Told(
        f"LIVE {settings.name} v{version.number}", live_page(settings.name, version.number, shown), figures={"version": version.number}
    )


_AROUND = {"plan": _plan, "refused": _refused, "prove": _prove}


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error

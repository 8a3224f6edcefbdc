"""Runs ONE node of the pipeline from plain input locations to plain output locations: the way of a container."""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.report import NodeReport
from configs.errors import SluicewayError, UsageError
from configs.schema import Settings
from pipeline.beam import BEAM_NODES, beam_arguments, check_beam, endpoints, on_dataflow
from pipeline.data import use_case_source
from pipeline.errors import node_error
from pipeline.fingerprint import judging_digest, training_digest
from pipeline.graph import input_types
from pipeline.guards import disk_errors, temporary_folder
from pipeline.layout import Layout, layout_of
from pipeline.nodes import node_names
from pipeline.places import check_empty, delivered, fetched, load_artifact, save_artifact
from pipeline.staging import stage_data, stage_schema
from pipeline.step_workers import Workers
from pipeline.use_cases.base import UseCase, get_use_case
from pipeline.workers import check_reachable


@dataclass(frozen=True)
class StepRequest:
    """One node and everything it needs to know; nothing else is looked at.

    inputs, outputs: each of the node's keys to a local path or a bucket URI.
    fingerprint:     of the run (``plan`` gives it); the pusher writes it into the manifest.
    code, judging:   digests of the code; empty means that of this installation.
    data_digest:     what the data must be; empty takes them as they are.
    """

    node: str
    settings: Settings
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    run_id: str = "step"
    fingerprint: str = ""
    code: str = ""
    judging: str = ""
    data_digest: str = ""


def run_step(request: StepRequest) -> NodeReport:
    """Run the node; its outputs lie at their locations afterwards.

    Returns:
        What the node has to say: its verdict if it is a gate, and its figures.

    Raises:
        UsageError: no such node, an input or output that it does not have, an input with nothing there, an output with something there.
        NodeFailed: the node raised.
    """
    allowed = node_names(tuner=request.settings.use_case.tuner.enabled)
    if request.node not in allowed:
        raise UsageError(
            f"no node {request.node!r} in this pipeline; there are: {', '.join(allowed)} (and plan, refused, prove around them)"
        )
    environment = request.settings.environment
    check_beam(environment)
    if request.node in BEAM_NODES:
        check_reachable(endpoints(environment.beam))
    with _workplace(request.settings) as layout, disk_errors(layout.state):
        try:
            return _run(request, layout)
        except SluicewayError:
            raise
        except Exception as error:
            raise node_error(request.node, error) from error


@contextlib.contextmanager
def _workplace(settings: Settings) -> Iterator[Layout]:
    """A state folder of the step's own, gone with it; the store stays where it is."""
    layout = layout_of(settings)
    try:
        layout.state.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix="step-", dir=layout.state, ignore_cleanup_errors=True)
    except OSError as error:
        raise UsageError(f"{layout.state}: cannot be written: {error.strerror}; give another state folder (--set state=...)") from error
    with folder as place, temporary_folder(Path(place) / "tmp"):
        yield replace(layout, state=Path(place))


def _run(request: StepRequest, layout: Layout) -> NodeReport:
    use_case = get_use_case(request.settings.reference)
    _check_code(request, use_case)
    for location in request.outputs.values():
        check_empty(location)
    if request.node == "Schema":
        return _import_schema(request, use_case, layout)
    from tfx.orchestration.local import runner_utils

    from components.inspect import report_of

    compiled = _compiled(request, use_case, layout)
    node = next(item.pipeline_node for item in compiled.nodes if item.pipeline_node.node_info.id == request.node)
    executor = runner_utils.extract_executor_spec(runner_utils.extract_local_deployment_config(compiled), request.node)
    _check_keys(request, node)
    workers = _workers(request, layout)
    inputs, places = _inputs(request, compiled, layout, workers), workers.outputs(request.outputs)
    with workers.place():
        told = {
            key: [_at(artifact, workers.shown("in", key, Path(artifact.uri))) for artifact in artifacts]
            for key, artifacts in inputs.items()
        }
        outputs = _execute(
            node,
            executor,
            told,
            {key: workers.told("out", key, place) for key, place in places.items()},
            layout,
            request.run_id,
            workers.temporary,
        )
        for key, place in places.items():
            workers.brought_back("out", key, place)
    for key, place in places.items():
        outputs[key] = [_at(artifact, str(place)) for artifact in outputs[key]]
        save_artifact(outputs[key], place)
        delivered(place, request.outputs[key])
    return report_of(request.node, cached=False, inputs=inputs, outputs=outputs, raw_label=use_case.raw_label)


def _check_code(request: StepRequest, use_case: UseCase) -> None:
    """A run is one code's: its cache and the version's manifest name the code that the plan saw.

    Raises:
        UsageError: this installation is another one, as when a machine still has an older image of the same tag.
    """
    if (request.code and request.code != training_digest(use_case)) or (request.judging and request.judging != judging_digest()):
        raise UsageError(
            f"{request.node}: the code here is not the code that this run was planned with; give the image by digest"
            " (kubeflow.image=...@sha256:...), and run again"
        )


def _workers(request: StepRequest, layout: Layout) -> Workers:
    """Where the workers of this node's Beam see files, or the pods that the infra gate starts."""
    beam = request.settings.environment.beam
    arguments = beam_arguments(beam).get(request.node, [])
    pods = request.node == "InfraValidator" and request.settings.environment.launcher == "kubernetes"
    bucket = f"{beam.work}/{request.settings.name}/{layout.state.name}" if beam.work and on_dataflow(arguments) else None
    return Workers(layout.home, bucket=bucket, elsewhere=bool(arguments) or pods)


def _at(artifact: Any, uri: str) -> Any:
    """The artifact as it lies at another place."""
    other = copy.deepcopy(artifact)
    other.uri = uri
    return other


def _import_schema(request: StepRequest, use_case: UseCase, layout: Layout) -> NodeReport:
    _same_keys("output", {"result"}, request.outputs)
    delivered(stage_schema(use_case.schema_path, layout), request.outputs["result"])
    return NodeReport(cached=False)


def _compiled(request: StepRequest, use_case: UseCase, layout: Layout) -> Any:
    """The whole pipeline as TFX compiles it: the same one that runs on a laptop."""
    from tfx.dsl.compiler import compiler

    from pipeline.definition import RunInputs, create_pipeline

    inputs = RunInputs(
        data=_data(request, use_case, layout) if request.node == "ExampleGen" else layout.home / "data",
        schema=stage_schema(use_case.schema_path, layout),
        run_id=request.run_id,
        fingerprint=request.fingerprint,
        code=request.code or training_digest(use_case),
        judging=request.judging or judging_digest(),
    )
    return compiler.Compiler().compile(create_pipeline(use_case, request.settings, layout, inputs))


def _data(request: StepRequest, use_case: UseCase, layout: Layout) -> Path:
    """The rows' files, staged; the very content that the plan saw.

    Raises:
        UsageError: there are none, they do not fit, or they changed since the run was planned.
    """
    given = request.settings.use_case.data.source
    source = use_case_source(use_case, request.settings, layout)
    if request.data_digest and source.digest != request.data_digest:
        raise UsageError(f"data {given or 'of the use case'}: changed since this run was planned; run again")
    return stage_data(source, layout)


def _inputs(request: StepRequest, compiled: Any, layout: Layout, workers: Workers) -> dict[str, list[Any]]:
    """The node's input artifacts, in folders of this machine. An input that nothing was given out for has no artifact."""
    types = input_types(compiled, request.node)
    found = {}
    for key, location in request.inputs.items():
        artifact = load_artifact(types[key], fetched(location, layout.home / "in" / key, copy=workers.elsewhere))
        found[key] = [] if artifact is None else [artifact]
    return found


def _check_keys(request: StepRequest, node: Any) -> None:
    """Before anything is fetched. An input that may hold nothing may also be left out."""
    optional = {key for key, spec in node.inputs.inputs.items() if spec.min_count == 0}
    _same_keys("input", set(node.inputs.inputs), request.inputs, optional)
    _same_keys("output", set(node.outputs.outputs), request.outputs)


def _same_keys(what: str, wanted: set[str], given: Mapping[str, str], optional: Set[str] = frozenset()) -> None:
    missing, unknown = sorted(wanted - set(given) - optional), sorted(set(given) - wanted)
    if missing or unknown:
        problem = f"unknown {what} {unknown[0]!r}" if unknown else f"{what} {missing[0]!r} is missing"
        raise UsageError(f"{problem}; this node's {what}s: {', '.join(sorted(wanted)) or 'none'} (--{what} KEY=LOCATION)")


def _execute(
    node: Any, spec: Any, inputs: dict[str, list[Any]], places: Mapping[str, str], layout: Layout, run_id: str, temporary: str | None
) -> dict[str, list[Any]]:
    """Hand the work to TFX's own operator for this kind of executor. Returns the output artifacts, with what the executor set in them."""
    from tfx.orchestration import data_types_utils
    from tfx.orchestration.portable import beam_executor_operator, data_types, inputs_utils, outputs_utils, python_executor_operator
    from tfx.types import artifact_utils

    outputs = {}
    for key, place in places.items():
        artifact = artifact_utils.deserialize_artifact(node.outputs.outputs[key].artifact_spec.type)
        artifact.uri = place
        outputs[key] = [artifact]
    outputs_utils.make_output_dirs(outputs)
    work = layout.home / "work"
    for name in ("tmp", "stateful"):
        (work / name).mkdir(parents=True)
    info = data_types.ExecutionInfo(
        execution_id=1,
        input_dict=inputs,
        output_dict=outputs,
        exec_properties=data_types_utils.build_parsed_value_dict(
            inputs_utils.resolve_parameters_with_schema(node_parameters=node.parameters)
        ),
        execution_output_uri=str(work / "executor_output.pb"),
        stateful_working_dir=str(work / "stateful"),
        tmp_dir=temporary or str(work / "tmp"),
        pipeline_node=node,
        pipeline_run_id=run_id,
    )
    operators = (beam_executor_operator.BeamExecutorOperator, python_executor_operator.PythonExecutorOperator)
    operator = next(kind for kind in operators if isinstance(spec, tuple(kind.SUPPORTED_EXECUTOR_SPEC_TYPE)))
    done = operator(spec).run_executor(info)
    if done.execution_result.code:
        raise SluicewayError(f"{node.node_info.id} ended with code {done.execution_result.code}: {done.execution_result.result_message}")
    for key, artifacts in outputs.items():
        if key in done.output_artifacts:
            told = done.output_artifacts[key].artifacts
            del artifacts[len(told) :]
            for artifact, proto in zip(artifacts, told, strict=True):
                artifact.mlmd_artifact.CopyFrom(proto)
    return outputs

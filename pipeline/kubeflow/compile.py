"""The pipeline as Kubeflow Pipelines v2's own document: the same nodes as everywhere, each a container step."""

from __future__ import annotations

import contextlib
import inspect
import tempfile
from pathlib import Path
from typing import Any

from kfp import compiler, dsl
from msgspec import to_builtins
from tfx.dsl.compiler import compiler as tfx_compiler

from configs.schema import Settings
from pipeline.definition import RunInputs, create_pipeline
from pipeline.graph import NodeShape, shapes
from pipeline.kubeflow.components import METRICS, REPORT, VERDICT, StepShape, component
from pipeline.kubeflow.executor_output import DECISION
from pipeline.kubeflow.platform import dress
from pipeline.kubeflow.sections import PARAMETERS, PLANNED, check_environment, overrides
from pipeline.layout import layout_of
from pipeline.metrics import check_thresholds
from pipeline.nodes import GATES, NEVER_CACHED
from pipeline.use_cases.base import SHIPPED, get_use_case

# Beside the nodes that are cached nowhere. The evaluator compares with a champion that the store chooses anew each time.
_EACH_TIME = frozenset({"plan", "Evaluator", "refused", "prove"})
PLAN_VALUES = ("decision", "data_digest", "fingerprint", "code", "judging")


def compile_pipeline(settings: Settings) -> str:
    """The IR YAML of a use case in an environment; the same text for the same configuration and KFP version.

    Raises:
        ConfigError: the configuration does not fit the use case, or cannot work on a cluster.
    """
    store = check_environment(settings)
    built = _Builder(settings, _nodes(settings)).pipeline(store)
    with tempfile.TemporaryDirectory(prefix="sluiceway-compile-") as folder:
        package = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(built, package_path=str(package))
        return package.read_text(encoding="utf-8")


def _nodes(settings: Settings) -> list[NodeShape]:
    """The nodes of the one definition; what changes from run to run does not touch their shape."""
    use_case = get_use_case(settings.name)
    check_thresholds(use_case.task, settings.use_case)
    inputs = RunInputs(data=Path("data"), schema=Path("schema"), run_id="", fingerprint="", code="", judging="")
    return shapes(tfx_compiler.Compiler().compile(create_pipeline(use_case, settings, layout_of(settings), inputs)))


class _Builder:
    """Builds the tasks one after the other; each gate opens two branches, and what follows stands in the one where it accepted."""

    def __init__(self, settings: Settings, nodes: list[NodeShape]) -> None:
        self._settings = settings
        self._nodes = nodes
        self._tasks: dict[str, Any] = {}

    def pipeline(self, store: str) -> Any:
        settings = self._settings
        source = settings.use_case.data.source or SHIPPED
        thresholds = {key: value for key, value in to_builtins(settings.use_case.thresholds).items() if value is not None}

        defaults: dict[str, Any] = {"data": source, "store": store, "budget": settings.environment.budget, "thresholds": thresholds}

        def build(*given: Any, **named: Any) -> None:
            self._build({**dict(zip(defaults, given, strict=False)), **named})

        # KFP reads the interface from the signature; ours is made at run time, and annotations of this module are texts.
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        build.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, kind, default=value, annotation=type(value)) for name, value in defaults.items()]
        )
        named = dsl.pipeline(name=settings.name, description=f"{settings.name}: from rows to a published version, by Sluiceway.")
        return named(build)

    def _build(self, run: dict[str, Any]) -> None:
        shape = self._shape("plan", outputs={REPORT: ""}, values=PLAN_VALUES)
        plan = self._task(shape, "plan", run, {}, {})
        with contextlib.ExitStack() as branches:
            branches.enter_context(dsl.If(plan.outputs[DECISION] == "go", name="if-something-is-new"))
            for node in self._nodes:
                task = self._node(node, run, plan)
                self._tasks[node.name] = task
                if node.name in GATES:
                    gate = GATES[node.name]
                    with dsl.If(task.outputs[DECISION] == "refused", name=f"if-{gate}-refused"):
                        self._refused(gate, task, run)
                    branches.enter_context(dsl.If(task.outputs[DECISION] == "accepted", name=f"if-{gate}-accepted"))
            proof = self._task(self._shape("prove", outputs={REPORT: ""}), "prove", run, {}, {})
            proof.after(self._tasks["Pusher"])

    def _node(self, node: NodeShape, run: dict[str, Any], plan: Any) -> Any:
        inputs = {
            edge.key: next(shape.outputs[edge.output] for shape in self._nodes if shape.name == edge.producer) for edge in node.inputs
        }
        ours = {REPORT: "", **({VERDICT: ""} if node.name in GATES else {}), **({METRICS: ""} if node.name == "Evaluator" else {})}
        shape = self._shape(node.name, inputs=inputs, outputs={**node.outputs, **ours}, values=("decision",) if node.name in GATES else ())
        given = {edge.key: self._tasks[edge.producer].outputs[edge.output] for edge in node.inputs}
        planned = {name: plan.outputs[name] for name in PLANNED.get(node.name, ())}
        return self._task(shape, node.name, run, given, planned)

    def _refused(self, gate: str, task: Any, run: dict[str, Any]) -> None:
        shape = self._shape("refused", inputs={VERDICT: ""}, outputs={REPORT: ""})
        self._task(shape, f"refused-by-{gate}", run, {VERDICT: task.outputs[VERDICT]}, {})

    def _shape(self, step: str, **more: Any) -> StepShape:
        settings = self._settings
        return StepShape(
            step,
            settings.name,
            settings.environment_name,
            settings.environment.kubeflow.image,
            parameters=PARAMETERS.get(step, ()),
            planned=PLANNED.get(step, ()),
            overrides=overrides(settings, step),
            needs_run_id=step in {"Pusher", "refused"},
            **more,
        )

    def _task(self, shape: StepShape, name: str, run: dict[str, Any], inputs: dict[str, Any], planned: dict[str, Any]) -> Any:
        given: dict[str, Any] = {f"in_{key}": value for key, value in inputs.items()}
        given |= {key: run[key] for key in shape.parameters} | planned
        if shape.needs_run_id:
            given["run_id"] = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        task = component(shape, name)(**given)
        task.set_display_name(name)
        cached = self._settings.environment.cache and shape.name not in NEVER_CACHED | _EACH_TIME
        task.set_caching_options(enable_caching=cached)
        return dress(task, self._settings.environment.kubeflow, shape.name)

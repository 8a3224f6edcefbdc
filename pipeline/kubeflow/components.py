"""One step as a container component of the KFP SDK, with plain paths as arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfp import dsl

from pipeline.kubeflow.executor_output import DECISION

# TFX's artifact types to KFP's; what is not here is a plain artifact.
_TYPES = {"Examples": dsl.Dataset, "Model": dsl.Model, "ModelRun": dsl.Artifact, "PushedModel": dsl.Model}
_KINDS: dict[str, Any] = {"metrics": dsl.Metrics, "report": dsl.Markdown}
_DECISION = "decision"
REPORT, VERDICT, METRICS = "report", "verdict", "metrics"


@dataclass(frozen=True)
class StepShape:
    """What goes into a step and comes out of it.

    inputs, outputs: key to TFX's type name; ``report``, ``verdict`` and ``metrics`` are ours.
    parameters:      run parameters it reads.
    planned:         values of the plan it reads.
    values:          values it gives out.
    overrides:       ``--set`` texts.
    """

    name: str
    use_case: str
    environment: str
    image: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Sequence[str] = ()
    planned: Sequence[str] = ()
    values: Sequence[str] = ()
    overrides: Sequence[str] = ()
    needs_run_id: bool = False


def component(shape: StepShape, name: str | None = None) -> Any:
    """A KFP component that runs ``python -m pipeline step`` in the pipeline image; called ``name`` where that differs from the step's."""

    def container(*given: Any) -> Any:
        places = dict(zip(signature.parameters, given, strict=True))
        return dsl.ContainerSpec(image=shape.image, command=["python", "-m", "pipeline"], args=_arguments(shape, places))

    signature = inspect.Signature(_declared(shape))
    # KFP makes the task's name of the function's: example-gen reads better there than examplegen.
    container.__name__ = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name or shape.name).replace("-", "_").lower()
    container.__doc__ = f"{shape.name} of the {shape.use_case} pipeline."
    container.__signature__ = signature  # type: ignore[attr-defined]
    built = dsl.container_component(container)
    outputs = built.component_spec.outputs
    if _DECISION in shape.values:
        # KFP keeps this name for what a Python function returns, and its local runner can branch on no other.
        outputs[DECISION] = outputs.pop(_DECISION)
    return built


def _declared(shape: StepShape) -> list[inspect.Parameter]:
    """The component's interface, in KFP's annotations."""
    declared: dict[str, Any] = {f"in_{key}": dsl.Input[_kind(key, type_)] for key, type_ in shape.inputs.items()}
    declared |= {name: dict if name == "thresholds" else str for name in shape.parameters}
    declared |= dict.fromkeys(shape.planned, str)
    if shape.needs_run_id:
        declared["run_id"] = str
    declared |= {key: dsl.Output[_kind(key, type_)] for key, type_ in shape.outputs.items()}
    declared |= {name: dsl.OutputPath(str) for name in shape.values}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [inspect.Parameter(name, kind, annotation=annotation) for name, annotation in declared.items()]


def _kind(key: str, type_: str) -> Any:
    return _KINDS.get(key) or _TYPES.get(type_, dsl.Artifact)


def _arguments(shape: StepShape, places: Mapping[str, Any]) -> list[Any]:
    """The command line; KFP puts paths and values in the places of its placeholders.

    Placeholders stand inside texts and not in KFP's ``ConcatPlaceholder``: the SDK's local runner knows that one, the launcher of the
    backend replaces texts and would hand it on as it is.
    """
    arguments: list[Any] = [
        "step",
        shape.name,
        shape.use_case,
        f"--env={shape.environment}",
        *[f"--set={text}" for text in shape.overrides],
    ]
    for name in shape.parameters:
        flag = {"data": "--data=", "store": "--store="}.get(name, f"--set={name}=")
        arguments.append(f"{flag}{places[name]}")
    arguments += [f"--plan={name}={places[name]}" for name in shape.planned]
    if shape.needs_run_id:
        arguments.append(f"--run-id={places['run_id']}")
    for key in shape.inputs:
        flag = "--verdict-file=" if key == VERDICT else f"--input={key}="
        arguments.append(f"{flag}{places[f'in_{key}'].path}")
    ours = {REPORT: "--report-file=", VERDICT: "--verdict-file="}
    for key in shape.outputs:
        if key != METRICS:
            arguments.append(f"{ours.get(key, f'--output={key}=')}{places[key].path}")
    # A refusal is a result: the branch behind the gate tells it, and no retry would change it.
    return [*arguments, "--refusal-ends-well", "--executor-input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER]

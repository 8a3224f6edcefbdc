"""The file by which a container step tells Kubeflow Pipelines v2 what it gave out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs.errors import UsageError

# What a step decided, as the branches behind it read it. KFP's local runner can only branch on an output of this name.
DECISION = "Output"


def write_executor_output(executor_input: str, values: Mapping[str, str], metadata: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what KFP's launcher (and its local runner) reads after the step has ended.

    An artifact reaches the next step only when it is named here; its metadata is what the UI shows of it.

    Args:
        executor_input: the JSON document that KFP puts in place of ``{{$}}``: declared outputs, and where to write.
        values: output parameters by name, ``decision`` among them; those that the component does not declare are left out.
        metadata: artifact's name to plain values.

    Raises:
        UsageError: the text is not such a document.
    """
    try:
        outputs = json.loads(executor_input)["outputs"]
        place = Path(outputs["outputFile"])
        artifacts, parameters = outputs.get("artifacts", {}), outputs.get("parameters", {})
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError("--executor-input is not KFP's executor input; give '{{$}}' there in a container step") from error
    document: dict[str, Any] = {}
    for name, listed in artifacts.items():
        known = {key: value for key, value in metadata.get(name, {}).items() if _is_json(value)}
        told = [{**artifact, "metadata": {**artifact.get("metadata", {}), **known}} for artifact in listed["artifacts"]]
        document.setdefault("artifacts", {})[name] = {"artifacts": told}
    named = {DECISION if name == "decision" else name: value for name, value in values.items()}
    declared = {name: value for name, value in named.items() if name in parameters}
    if declared:
        document["parameterValues"] = declared
    for name, value in declared.items():
        _write(Path(parameters[name]["outputFile"]), value)
    _write(place, json.dumps(document, sort_keys=True))


def _is_json(value: Any) -> bool:
    """KFP cannot read a document with NaN in it, and takes the step for failed."""
    return not isinstance(value, float) or math.isfinite(value)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

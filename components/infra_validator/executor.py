"""The thin shell of the infra gate: paths in, verdict artifact out."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base import base_executor

from components.artifacts import model_dir, only, set_figures, write_verdict
from components.infra_validator import standby
from components.infra_validator.probe import probe
from components.infra_validator.validate import Limits, validate

# Beyond the limit by this much the wait ends: slower than allowed is a refusal, never coming is one too.
GRACE_SECONDS = 30.0


class Executor(base_executor.BaseExecutor):  # type: ignore[misc] # tfx has no types
    """Writes the verdict; failing to find out raises."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802 - TFX's name
        limits = Limits(exec_properties["load_seconds"], exec_properties["tolerance"])
        candidate = model_dir(only(input_dict, "model"))
        with standby.take(exec_properties["launcher"]) as launcher:
            seen = probe(launcher, exec_properties["model_name"], candidate, limits.load_seconds + GRACE_SECONDS)
        blessing = only(output_dict, "blessing")
        write_verdict(blessing, validate(seen, limits), candidate)
        set_figures(blessing, {"load_seconds": seen.load_seconds, "answers": len(seen.answers)})

"""The thin shell of the infra gate: paths in, verdict artifact out."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base import base_executor

from components.artifacts import model_dir, only, set_figures, write_verdict
from components.infra_validator import standby
from components.infra_validator.probe import probe
from components.infra_validator.validate import Limits, Observation, figures_of, on_every, validate
from serving.launchers.target import parse

log = logging.getLogger(__name__)

# Beyond the limit by this much the wait ends: slower than allowed is a refusal, never coming is one too.
GRACE_SECONDS = 30.0


class Executor(base_executor.BaseExecutor):  # type: ignore[misc] # tfx has no types
    """Writes the verdict; failing to find out raises."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802 - TFX's name
        limits = Limits(exec_properties["load_seconds"], exec_properties["tolerance"])
        candidate = model_dir(only(input_dict, "model"))
        seen: dict[str, Observation] = {}
        for target in parse(exec_properties["targets"]):
            with standby.take(target) as launcher:
                name = exec_properties["model_name"]
                seen[target.label] = probe(launcher, name, candidate, limits.load_seconds + GRACE_SECONDS)
        blessing = only(output_dict, "blessing")
        verdicts = {label: validate(observation, limits) for label, observation in seen.items()}
        write_verdict(blessing, on_every(verdicts), candidate)
        set_figures(blessing, figures_of(seen))
        for label, observation in seen.items():
            if not verdicts[label].accepted and observation.log_tail:
                log.warning("the last words of the model server (%s):\n%s", label, observation.log_tail)

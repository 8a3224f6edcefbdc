"""What Beam's own parser says of Beam arguments: the hundreds that this project does not know by itself."""

from __future__ import annotations

import contextlib
import difflib
import io
from collections.abc import Mapping, Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from configs.errors import ConfigError
from pipeline.beam import elsewhere


def check_with_beam(arguments: Mapping[str, Sequence[str]]) -> None:
    """Hold each node's arguments against Beam, which ends the process for a wrong value and passes over an unknown name.

    Raises:
        ConfigError: Beam does not take them.
    """
    known = set(PipelineOptions([]).get_all_options())
    for node, given in arguments.items():
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                options = PipelineOptions(list(given)).get_all_options(retain_unknown_options=True)
        except SystemExit as error:
            told = said.getvalue().strip().splitlines()[-1:] or ["not taken by Beam"]
            raise ConfigError(f"beam arguments of {node}: {told[0].partition('error: ')[2] or told[0]}") from error
        unknown = sorted(set(options) - known)
        # Engines with a job server of their own have options that Beam's Python side has never heard of.
        if unknown and not (elsewhere(given) and "Dataflow" not in "".join(given)):
            near = difflib.get_close_matches(unknown[0], known, n=1)
            hint = f"; did you mean --{near[0]}?" if near else ""
            raise ConfigError(f"beam arguments of {node}: Beam knows no --{unknown[0]}{hint}")

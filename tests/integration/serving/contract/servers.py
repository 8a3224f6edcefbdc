"""Servers on models of the zoo."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from serving.launchers.readiness import wait_for
from tests.integration.serving.contract.clients import Rest
from tests.integration.serving.contract.zoo import config_text, entry, lay_out
from tests.integration.serving.server_process import ServerProcess, started

# Model, version, name in the zoo.
GOOD = {
    "half": {1: "half_plus_two", 2: "half_plus_three"},
    "columns": {1: "columns"},
    "examples": {1: "examples"},
    "echo": {1: "echo"},
    "slow": {1: "slow"},
    "keras": {1: "keras"},
    "defaults": {1: "defaults"},
    "warm": {1: "good_warmup"},
}
# Both versions of one model, and names for them.
HALF = 'model_version_policy { all {} } version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 }'


@contextmanager
def good_server(root: Path, *flags: str) -> Iterator[ServerProcess]:
    """A server with every good model loaded."""
    lay_out(root, *((model, number, name) for model, versions in GOOD.items() for number, name in versions.items()))
    with served(root, *(entry(root, model, HALF if model == "half" else "") for model in GOOD), flags=flags) as process:
        wait_until_available(process, {model: len(versions) for model, versions in GOOD.items()})
        yield process


@contextmanager
def served(root: Path, *entries: str, flags: Sequence[str] = ()) -> Iterator[ServerProcess]:
    """A server on the models of these config entries; it may still be loading them."""
    config = root / "models.config"
    config.write_text(config_text(*entries))
    with started(root, f"--model_config_file={config}", "--port=0", "--rest_api_port=0", *flags) as process:
        yield process


def wait_until_available(server: ServerProcess, models: Mapping[str, int]) -> None:
    """Wait until each model has as many available versions as given."""
    rest = Rest(server.rest_address)

    def ready() -> bool | None:
        for model, count in models.items():
            answer = rest.get(f"/v1/models/{model}")
            rows = json.loads(answer.body)["model_version_status"] if answer.status == 200 else []
            if sum(row["state"] == "AVAILABLE" for row in rows) < count:
                return None
        return True

    wait_for(ready, server.process.poll, what="its models were available", deadline_seconds=120, logs=server.log.read_text)

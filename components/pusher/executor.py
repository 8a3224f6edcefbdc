"""The thin shell of the pusher: blessings in, a published version out."""

from __future__ import annotations

import json
from typing import Any

from tfx.dsl.components.base import base_executor

from components import artifacts
from components.champion.resolve import champion_of
from components.pusher.push import decide
from configs.errors import SluicewayError
from serving.errors import VersionDamaged
from serving.store import open_store
from serving.store.base import Version, VersionStore
from serving.store.manifest import Identity, content_digest, digest_files


class Executor(base_executor.BaseExecutor):  # type: ignore[misc] # tfx has no types
    """Publishes through the store; the outcome is kept as figures of the PushedModel artifact."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802 - TFX's name
        name = exec_properties["model_name"]
        store = open_store(exec_properties["store_kind"], exec_properties["store_path"])
        model = artifacts.model_dir(artifacts.only(input_dict, "model"))
        digest = content_digest(digest_files(model))
        blessings = [artifacts.only(input_dict, key) for key in ("model_blessing", "infra_blessing")]
        if any(artifacts.judged_model(blessing) != digest for blessing in blessings):
            raise SluicewayError(f"{model} is not the model that was judged: its files changed since; run again with --no-cache")
        champion = artifacts.only(input_dict, "champion") if input_dict.get("champion") else None
        compared = artifacts.figures(champion)["version"] if champion else None
        live = store.live(name)
        expected = champion_of(digest, store.versions(name))
        if compared != (expected.number if expected else None):
            raise SluicewayError(f"another version of {name} went live while this candidate was judged; run again")
        whole = live if live is not None and _is_whole(store, live) else None
        decision = decide(digest, whole, blessed=all(artifacts.read_verdict(blessing).accepted for blessing in blessings))
        pushed = artifacts.only(output_dict, "pushed_model")
        if decision == "publish":
            identity = Identity(
                run_id=exec_properties["run_id"],
                use_case=name,
                fingerprint=exec_properties["fingerprint"],
                champion=compared,
                metrics=artifacts.evaluation_metrics(artifacts.only(input_dict, "evaluation")),
            )
            live = store.publish(name, model, identity, digest=digest, over=live.number if live else None)
        artifacts.set_figures(pushed, {"decision": decision, "version": live.number if live else None})
        if live is not None:
            pushed.set_string_custom_property("pushed_destination", json.dumps(store.describe()))
            pushed.set_string_custom_property("pushed_version", str(live.number))


def _is_whole(store: VersionStore, version: Version) -> bool:
    """A live version that was damaged does not count as live content: the same model is published again, as the next version."""
    try:
        store.verify(version.model, version.number)
    except VersionDamaged:
        return False
    return True

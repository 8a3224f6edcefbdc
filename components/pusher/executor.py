"""The thin shell of the pusher: blessings in, a published version out."""

from __future__ import annotations

import json
from typing import Any

from tfx.dsl.components.base import base_executor

from components import artifacts
from components.pusher.push import decide
from serving.store import open_store
from serving.store.manifest import Identity, content_digest, digest_files


class Executor(base_executor.BaseExecutor):  # type: ignore[misc] # tfx has no types
    """Publishes through the store; the outcome is kept as figures of the PushedModel artifact."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802 - TFX's name
        name = exec_properties["model_name"]
        store = open_store(exec_properties["store_kind"], exec_properties["store_path"])
        model = artifacts.model_dir(artifacts.only(input_dict, "model"))
        blessed = all(artifacts.is_blessed(artifacts.only(input_dict, key)) for key in ("model_blessing", "infra_blessing"))
        live = store.live(name)
        decision = decide(content_digest(digest_files(model)), live, blessed=blessed)
        pushed = artifacts.only(output_dict, "pushed_model")
        if decision == "publish":
            champion = input_dict.get("champion")
            identity = Identity(
                run_id=exec_properties["run_id"],
                use_case=name,
                fingerprint=exec_properties["fingerprint"],
                champion=artifacts.figures(champion[0])["version"] if champion else None,
                metrics=artifacts.evaluation_metrics(artifacts.only(input_dict, "evaluation")),
            )
            live = store.publish(name, model, identity)
        artifacts.set_figures(pushed, {"decision": decision, "version": live.number if live else None})
        if live is not None:
            pushed.set_string_custom_property("pushed_destination", json.dumps(store.describe()))
            pushed.set_string_custom_property("pushed_version", str(live.number))

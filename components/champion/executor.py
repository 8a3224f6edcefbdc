"""Looks the champion up in the store and hands it on as a Model artifact, or hands on nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.proto.orchestration import execution_result_pb2

from components.artifacts import model_dir, only, set_figures
from components.champion.resolve import champion_of
from serving.store import open_store
from serving.store.manifest import content_digest, digest_files


class Executor(base_executor.BaseExecutor):  # type: ignore[misc] # tfx has no types
    """No champion is a value (an empty channel), not an error."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> Any:  # noqa: N802 - TFX's name
        store = open_store(exec_properties["store_kind"], exec_properties["store_path"])
        candidate = content_digest(digest_files(model_dir(only(input_dict, "candidate"))))
        name = exec_properties["model_name"]
        # Raises where what is live is not known: that is no "none yet".
        store.live(name)
        champion = champion_of(candidate, store.versions(name))
        output = execution_result_pb2.ExecutorOutput()
        if champion is None:
            output_dict["champion"].clear()
            output.output_artifacts["champion"].CopyFrom(execution_result_pb2.ExecutorOutput.ArtifactList())
            return output
        artifact = only(output_dict, "champion")
        # A copy: the version may be retired while this run, or a cached one, still needs it.
        shutil.copytree(champion.path, Path(model_dir(artifact)), dirs_exist_ok=True)
        set_figures(artifact, {"version": champion.number})
        output.output_artifacts["champion"].artifacts.append(artifact.mlmd_artifact)
        return output

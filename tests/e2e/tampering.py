"""``sluiceway`` with a fault in it: one weight of the candidate becomes NaN between the evaluator and the infra gate."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pipeline.run
from pipeline.cli.main import main
from pipeline.runners.base import NodeEvent


def spoil(model: Path) -> None:
    """Write the checkpoint of a SavedModel again with a NaN in the last layer, where no activation can hide it."""
    import numpy as np
    import tensorflow as tf

    prefix = str(model / "variables" / "variables")
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_dtype_map())
    tensors = {name: reader.get_tensor(name) for name in names}
    matrices = [name for name in names if getattr(tensors[name], "ndim", 0) == 2 and tensors[name].dtype == np.float32]
    target = min(matrices, key=lambda name: tensors[name].shape[1])
    tensors[target] = tensors[target].copy()
    tensors[target][0, 0] = np.nan
    aside = str(model.parent / "spoilt")
    tf.raw_ops.SaveV2(
        prefix=aside, tensor_names=names, shape_and_slices=[""] * len(names), tensors=[tf.constant(tensors[name]) for name in names]
    )
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[aside], destination_prefix=prefix, delete_old_dirs=False)


def main_with_fault() -> None:
    """Run the command line with the listener wrapped."""
    execute = pipeline.run.execute

    def faulty(planned: Any, listener: Callable[[NodeEvent], None], *rest: Any) -> Any:
        def listen(event: NodeEvent) -> None:
            if (event.name, event.state) == ("Evaluator", "done"):
                models = planned.checked.layout.artifacts / "Trainer" / "model"
                newest = max(models.iterdir(), key=lambda path: int(path.name))
                spoil(newest / "Format-Serving")
            listener(event)

        return execute(planned, listen, *rest)

    pipeline.run.execute = faulty
    main()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main_with_fault()

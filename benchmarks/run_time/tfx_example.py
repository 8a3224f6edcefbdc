"""Runs TFX's own taxi example, unmodified, below a folder: `python tfx_example.py FOLDER none|own`.

The example reads every path from HOME when it is imported, so HOME is all that is set. `none` runs its data nodes with Beam's
defaults, `own` with the multi-process arguments that the example carries, which are slower on a small machine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from shutil import copy

EXAMPLE = Path("examples", "chicago_taxi_pipeline")


def prepare(tfx: Path, home: Path) -> Path:
    """Puts the example's rows and its user module where the example looks for them; gives back the rows."""
    data = home / "taxi" / "data" / "simple"
    data.mkdir(parents=True)
    copy(tfx / EXAMPLE / "taxi_utils_native_keras.py", home / "taxi")
    return Path(copy(tfx / EXAMPLE / "data" / "simple" / "data.csv", data))


def main() -> None:
    """Prepares the folder and runs the example's own pipeline function with its own runner."""
    home, beam_arguments = Path(sys.argv[1]), sys.argv[2]
    os.environ["HOME"] = str(home)
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the example's model does not build with Keras 3

    import tfx

    prepare(Path(tfx.__file__).parent, home)
    from tfx.examples.chicago_taxi_pipeline import taxi_pipeline_native_keras as example

    example.BeamDagRunner().run(
        example._create_pipeline(
            pipeline_name=example._pipeline_name,
            pipeline_root=example._pipeline_root,
            data_root=example._data_root,
            module_file=example._module_file,
            serving_model_dir=example._serving_model_dir,
            metadata_path=example._metadata_path,
            beam_pipeline_args=example._beam_pipeline_args if beam_arguments == "own" else [],
        )
    )


if __name__ == "__main__":
    main()

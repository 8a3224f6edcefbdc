"""Chicago taxi: will the tip of a trip exceed 20 % of the fare?"""

from pipeline.use_cases.base import UseCase

_HERE = "pipeline.use_cases.taxi"

USE_CASE = UseCase(
    name="taxi",
    package=_HERE,
    rows="15,002 real trips",
    task="binary_classification",
    raw_label="tips",
    label="big_tip",
    source_name=f"{_HERE}.data.source",
    preprocessing_name=f"{_HERE}.preprocessing.preprocessing_fn",
    build_model_name=f"{_HERE}.model.build_model",
    search_space_name=f"{_HERE}.model.search_space",
    classes=("small_tip", "big_tip"),
    slices=(("trip_start_hour",),),
    golden_name=f"{_HERE}.evaluation.GOLDEN_ROWS",
    hparams={"hidden_units": [64, 32], "learning_rate": 0.003, "dropout": 0.1},
    bounds={"hidden_units": (1, 4096), "learning_rate": (1e-7, 1.0), "dropout": (0.0, 0.9)},
)

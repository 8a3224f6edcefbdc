"""Boston housing: what is the median home of a district worth?"""

from pipeline.use_cases.base import UseCase

_HERE = "pipeline.use_cases.housing"

USE_CASE = UseCase(
    name="housing",
    package=_HERE,
    rows="506 real districts of Boston",
    task="regression",
    raw_label="MEDV",
    label="price",
    source_name=f"{_HERE}.data.source",
    preprocessing_name=f"{_HERE}.preprocessing.preprocessing_fn",
    build_model_name=f"{_HERE}.model.build_model",
    search_space_name=f"{_HERE}.model.search_space",
    classes=(),
    slices=(("RAD",),),
    golden_name=f"{_HERE}.evaluation.GOLDEN_ROWS",
    hparams={"hidden_units": [64, 32], "learning_rate": 0.003, "l2": 0.1},
    bounds={"hidden_units": (1, 4096), "learning_rate": (1e-7, 1.0), "l2": (0.0, 100.0)},
)

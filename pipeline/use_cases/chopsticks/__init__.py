"""Chopsticks: how well does a person pick up food with chopsticks of this length?"""

from pipeline.use_cases.base import UseCase
from pipeline.use_cases.chopsticks.features import MODELS

_HERE = "pipeline.use_cases.chopsticks"

USE_CASE = UseCase(
    name="chopsticks",
    package=_HERE,
    rows="1,116 synthetic tries",
    task="classification",
    raw_label="food_pinching_efficiency",
    label="efficiency_class",
    source_name=f"{_HERE}.data.source",
    preprocessing_name=f"{_HERE}.preprocessing.preprocessing_fn",
    build_model_name=f"{_HERE}.model.build_model",
    search_space_name=f"{_HERE}.model.search_space",
    classes=("poor", "fair", "good"),
    slices=(("chopstick_length",),),
    golden_name=f"{_HERE}.evaluation.GOLDEN_ROWS",
    hparams={"model": "net", "hidden_units": [16], "learning_rate": 0.01, "shrinkage": 0.01},
    choices={"model": MODELS},
    bounds={"hidden_units": (1, 4096), "learning_rate": (1e-7, 1.0), "shrinkage": (0.0, 100.0)},
)

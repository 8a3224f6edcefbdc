"""Cassava leaves: from a photo, which of four diseases has the leaf, or is it healthy?"""

from pipeline.use_cases.base import UseCase
from pipeline.use_cases.leaves.features import CLASSES, MODELS

_HERE = "pipeline.use_cases.leaves"

USE_CASE = UseCase(
    name="leaves",
    package=_HERE,
    rows="600 synthetic pictures",
    task="classification",
    raw_label="label",
    label="kind",
    source_name=f"{_HERE}.data.source",
    preprocessing_name=f"{_HERE}.preprocessing.preprocessing_fn",
    build_model_name=f"{_HERE}.model.build_model",
    search_space_name=f"{_HERE}.model.search_space",
    classes=CLASSES,
    slices=(("label",),),
    golden_name=f"{_HERE}.evaluation.golden_rows",
    hparams={"model": "cnn", "filters": [16, 32, 64, 64], "learning_rate": 0.002, "dropout": 0.2, "weights": "none"},
    reader="images",
    choices={"model": MODELS},
    bounds={"filters": (1, 1024), "learning_rate": (1e-7, 1.0), "dropout": (0.0, 0.9)},
    files=("weights",),
    check_name=f"{_HERE}.weights.check",
)

"""Handwritten digits: which of 0..9 does an image show?"""

from pipeline.use_cases.base import UseCase
from pipeline.use_cases.digits.features import CLASSES, MODELS

_HERE = "pipeline.use_cases.digits"

USE_CASE = UseCase(
    name="digits",
    package=_HERE,
    rows="1,797 real digits, 8x8, enlarged",
    task="classification",
    raw_label="label",
    label="digit",
    source_name=f"{_HERE}.data.source",
    preprocessing_name=f"{_HERE}.preprocessing.preprocessing_fn",
    build_model_name=f"{_HERE}.model.build_model",
    search_space_name=f"{_HERE}.model.search_space",
    signatures_name=f"{_HERE}.signatures.added",
    classes=CLASSES,
    slices=(("label",),),
    golden_name=f"{_HERE}.evaluation.golden_rows",
    hparams={"model": "cnn", "hidden_units": [256, 256], "filters": [32, 64], "learning_rate": 0.003, "dropout": 0.2, "shift": 0.09},
    reader="images",
    choices={"model": MODELS},
    bounds={"hidden_units": (1, 4096), "filters": (1, 1024), "learning_rate": (1e-7, 1.0), "dropout": (0.0, 0.9), "shift": (0.0, 0.5)},
)

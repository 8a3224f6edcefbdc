"""Consumer complaints: will the consumer dispute the company's answer?"""

from pipeline.use_cases.base import UseCase

_HERE = "pipeline.use_cases.complaints"

USE_CASE = UseCase(
    name="complaints",
    package=_HERE,
    task="binary_classification",
    rows="4,000 synthetic complaints",
    raw_label="consumer_disputed",
    label="disputed",
    source_name=f"{_HERE}.data.source",
    preprocessing_name=f"{_HERE}.preprocessing.preprocessing_fn",
    build_model_name=f"{_HERE}.model.build_model",
    search_space_name=f"{_HERE}.model.search_space",
    classes=("accepted", "disputed"),
    slices=(("product",),),
    golden_name=f"{_HERE}.evaluation.GOLDEN_ROWS",
    hparams={"encoder": "words", "hub_handle": "", "embedding": 16, "hidden_units": [32], "learning_rate": 0.01, "dropout": 0.3},
    choices={"encoder": ("words", "hub")},
    bounds={"embedding": (1, 1024), "hidden_units": (1, 4096), "learning_rate": (1e-7, 1.0), "dropout": (0.0, 0.9)},
    files=("hub_handle",),
    check_name=f"{_HERE}.handle.check",
)

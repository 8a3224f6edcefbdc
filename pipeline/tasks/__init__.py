"""Tasks by name: what kind of answer a model gives. Imports no implementation."""

TASKS: dict[str, str] = {
    "binary_classification": "pipeline.tasks.binary:Binary",
    "classification": "pipeline.tasks.classification:Classification",
    "regression": "pipeline.tasks.regression:Regression",
}

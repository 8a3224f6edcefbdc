"""The pipeline on Kubeflow Pipelines v2: compiled, submitted, watched. Importing this imports no KFP."""

"""The use cases, by name. An entry is ``module:Name``; nothing is imported until it is asked for."""

USE_CASES = {
    "taxi": "pipeline.use_cases.taxi:USE_CASE",
}

"""The use cases, by name. An entry is ``module:Name``; nothing is imported until it is asked for."""

USE_CASES = {
    "chopsticks": "pipeline.use_cases.chopsticks:USE_CASE",
    "complaints": "pipeline.use_cases.complaints:USE_CASE",
    "digits": "pipeline.use_cases.digits:USE_CASE",
    "housing": "pipeline.use_cases.housing:USE_CASE",
    "leaves": "pipeline.use_cases.leaves:USE_CASE",
    "taxi": "pipeline.use_cases.taxi:USE_CASE",
}

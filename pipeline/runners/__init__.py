"""The runners, by name. An entry is ``module:Class``; nothing is imported until it is asked for."""

RUNNERS = {
    "local": "pipeline.runners.local:LocalRunner",
}

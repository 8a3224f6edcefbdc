"""What OpenAPI tells of requests and answers, with examples of a model that everybody may have."""

from __future__ import annotations

from typing import Any

_SUMMARIES = {
    "predict": "Named tensors in, named tensors out",
    "classify": "Classes of examples, the likeliest first",
    "regress": "A number for each example",
}
TAXI = {
    "fare": 12.5,
    "trip_miles": 3.2,
    "trip_seconds": 840.0,
    "pickup_latitude": 41.88,
    "pickup_longitude": -87.63,
    "dropoff_latitude": 41.97,
    "dropoff_longitude": -87.9,
    "trip_start_timestamp": 1402686000,
    "trip_start_hour": 19,
    "trip_start_day": 6,
    "trip_start_month": 6,
    "pickup_community_area": 32,
    "dropoff_community_area": 76,
    "pickup_census_tract": 17031839100,
    "dropoff_census_tract": 17031980000,
    "payment_type": "Credit Card",
    "company": "Taxi Affiliation Services",
}
"""A row of the use case taxi, whole: `predict` wants every input."""
_VERSION = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_PLACES: dict[str, dict[str, Any]] = {
    "": {},
    "/versions/{version}": {"version": _VERSION},
    "/labels/{label}": {"label": {"type": "string"}},
}
_HEADERS: dict[str, Any] = {
    "x-model-version": {"schema": _VERSION, "description": "this version, whatever the arms say"},
    "x-model-label": {"schema": {"type": "string", "minLength": 1}, "description": "the version of this label"},
}
_VALUE: dict[str, Any] = {"description": 'A number, a text, true or false, {"b64": ...} for bytes, or lists of them'}
_BODIES: dict[str, dict[str, Any]] = {
    "predict": {
        "schema": {
            "type": "object",
            "properties": {
                "signature_name": {"type": "string", "description": "serving_default where it is left out"},
                "instances": {"type": "array", "items": _VALUE, "minItems": 1, "description": "one element for each row"},
                "inputs": {**_VALUE, "description": "whole tensors by name, instead of instances"},
            },
        },
        "examples": {
            "rows": {"summary": "Rows", "value": {"signature_name": "predict", "instances": [TAXI]}},
            "columns": {"summary": "Columns", "value": {"signature_name": "predict", "inputs": {"image": [{"b64": "/9j/4AAQ"}]}}},
        },
    },
}
for _verb in ("classify", "regress"):
    _BODIES[_verb] = {
        "schema": {
            "type": "object",
            "required": ["examples"],
            "properties": {
                "signature_name": {"type": "string"},
                "context": {"type": "object", "description": "features of every example"},
                "examples": {"type": "array", "items": {"type": "object"}, "minItems": 1},
            },
        },
        "examples": {"one": {"summary": "One example", "value": {"signature_name": _verb, "examples": [TAXI]}}},
    }
_ANSWERS: dict[str, Any] = {
    "predict": {"predictions": [{"label": "big_tip", "probability": 0.81}]},
    "classify": {"results": [[["small_tip", 0.38], ["big_tip", 0.62]]]},
    "regress": {"results": [20.18]},
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": {"type": "string"}, "problem": {"type": "string"}}},
        },
    },
}
_TELLS = {
    400: ("The path, a header or the request contradicts itself, or the model refused it", "x-model-version: 'new' is not a version"),
    401: ("No key, or none that is known", "not let in: no key; send it as x-api-key, or as a bearer token"),
    403: ("The key is not for this model", "the key reports is not for the model leaves"),
    404: ("No such model, version or label", "Servable not found for request: Latest(lumpy)"),
    408: ("The body did not arrive in time", "the body did not arrive within 60 s"),
    413: ("The body is larger than is taken", "the body is too large; at most 8 MiB"),
    422: ("The input does not fit the model", "instances[0].fare: 'six' does not fit; the model takes numbers"),
    429: ("More requests than the key may make; Retry-After tells when", "reports may make 60 requests a minute; try again in 3 s"),
    500: ("The model failed", "..."),
    501: ("The model server cannot do that", "..."),
    503: ("No room, or no model server; Retry-After tells when", "more requests than can be answered; try again in 1 s"),
    504: ("The model did not answer in time", "the model server default did not answer within 30 s"),
}


def model_paths() -> dict[str, Any]:
    """The paths below /v1, which no route of the framework answers."""
    paths: dict[str, Any] = {}
    for place, parameters in _PLACES.items():
        which = place.rpartition("{")[2].rstrip("}") if place else "newest"
        for verb in _SUMMARIES:
            paths[f"/v1/models/{{model}}{place}:{verb}"] = {"post": _call(verb, which, parameters)}
        if "label" not in parameters:
            paths[f"/v1/models/{{model}}{place}"] = {"get": _question("States of the versions", f"status_{which}", parameters, STATUS)}
        paths[f"/v1/models/{{model}}{place}/metadata"] = {
            "get": _question("What the model takes and gives", f"metadata_{which}", parameters, METADATA)
        }
    return paths


def _call(verb: str, which: str, parameters: dict[str, Any]) -> dict[str, Any]:
    good = {
        "description": "The model's answer, as TF Serving writes it",
        "headers": {"x-model-version": {"schema": {"type": "string"}, "description": "the version that answered"}},
        "content": {"application/json": {"schema": {"type": "object"}, "example": _ANSWERS[verb]}},
    }
    asked = {} if parameters else _HEADERS
    return {
        **_question(_SUMMARIES[verb], f"{verb}_{which}", parameters, {200: good, **problems()}, asked),
        "requestBody": {"required": True, "content": {"application/json": _BODIES[verb]}},
    }


def _question(
    summary: str, name: str, parameters: dict[str, Any], responses: dict[int | str, dict[str, Any]], headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    places = {"model": {"type": "string"}, **parameters}
    listed = [{"name": key, "in": "path", "required": True, "schema": schema} for key, schema in places.items()]
    listed += [{"name": key, "in": "header", "required": False, **more} for key, more in (headers or {}).items()]
    told = {str(status): answer for status, answer in responses.items()}
    return {"tags": ["TF Serving's API"], "summary": summary, "operationId": name, "parameters": listed, "responses": told}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors, for OpenAPI; all of them where none is named."""
    return {
        status: {"description": told, "content": {"application/json": {"schema": ERROR, "example": {"error": example}}}}
        for status, (told, example) in _TELLS.items()
        if not statuses or status in statuses
    }


def good(description: str, example: Any) -> dict[int | str, dict[str, Any]]:
    """A 200 with an example, and the errors."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}, **problems()}


STATUS = good(
    "As TF Serving writes it",
    {"model_version_status": [{"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]},
)
METADATA = good("As TF Serving writes it", {"model_spec": {"name": "taxi", "signature_name": "", "version": "3"}, "metadata": {}})
MODELS = good(
    "Every model, with what is live; `problem` where the version store is gone",
    {"models": [{"model": "taxi", "live": 3, "versions": [{"version": 3, "state": "AVAILABLE", "metrics": {"auc": 0.83}}]}]},
)
MODEL = good(
    "One model: versions, what is wrong with its arms and shadow, signatures, the form, and rows to fill it with where they may be seen",
    {
        "model": "taxi",
        "live": 3,
        "versions": [{"version": 3, "state": "AVAILABLE", "metrics": {"auc": 0.83}}],
        "problems": ["arm version 7 is not served; its users get 404"],
        "arms": [{"version": None, "label": None, "weight": 9.0}, {"version": 7, "label": None, "weight": 1.0}],
        "shadow": None,
        "shadowed": {},
        "signatures": {"predict": {"verb": "predict", "inputs": {"fare": {"dtype": "float32", "shape": [None]}}, "outputs": {}}},
        "form": {
            "signature": "predict",
            "fields": [{"name": "fare", "kind": "number", "missing": "NaN", "shape": []}],
            "outputs": ["label", "probability"],
            "examples": [{"fare": 12.5}, {"fare": "NaN"}],
        },
    },
)
HISTORY = good("The newest events first", {"model": "taxi", "events": [{"at": "2026-11-20T20:03:53Z", "kind": "publish", "version": 3}]})
IMAGE = good(
    "For each image its classes, the likeliest first",
    {"model": "leaves", "version": 3, "predictions": [{"file": "leaf.jpg", "classes": [{"label": "cmd", "score": 0.97}]}]},
)
IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}},
                }
            }
        },
    }
}

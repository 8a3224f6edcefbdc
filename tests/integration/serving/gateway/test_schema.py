"""Requests made up from the gateway's own OpenAPI: no answer that it does not declare, and none that is a fault of ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.integration.serving.contract.zoo import zoo
from tests.integration.serving.gateway.front import Front, gateway, upstream
from tests.integration.serving.server_process import ServerProcess

# What is made up seldom hits a model, a version or a signature. None: whatever is made up.
PARAMETERS = {"model": (None, "half", "half", "columns", "echo", "examples"), "version": (None, 1, 2), "label": (None, "stable", "nope")}
BODIES: dict[str, tuple[Any, ...]] = {
    "predict": (
        *(None, {"instances": [1.0]}, {"signature_name": "float32", "inputs": [[1.5], [2.5]]}, {"inputs": {"x": [1], "n": [2]}}),
        *({"instances": [["a"]]}, {"inputs": {"x": ["a"], "n": 1}}),
    ),
    "classify": (None, {"examples": [{"x": 1.5}]}, {"signature_name": "classify_x_to_y", "examples": [{"x": 1.0}]}),
    "regress": (None, {"signature_name": "x", "examples": [{"x": 1.5}]}, {"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}]}),
}
PLACES = {name: st.sampled_from(values) for name, values in PARAMETERS.items()}
# Bounded and the same each time: nothing comes by chance, nothing from an earlier run.
BOUNDED = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def described(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A gateway with a version store."""
    folder = tmp_path_factory.mktemp("described")
    LocalStore(folder / "store").publish("half", zoo() / "half_plus_two", Identity("run", "half", metrics={"auc": 0.75}))
    with gateway(folder, {**upstream(server.grpc_address), "store": str(folder / "store")}) as front:
        yield front


@pytest.fixture(scope="module")
def operations(described: Front) -> dict[str, Any]:
    """By method and path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
    schema = schemathesis.openapi.from_url(f"{described.address}/openapi.json")
    return {f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in schema.get_all_operations()}


def ask(operation: Any, front: Front) -> set[int]:
    """Ask one operation again and again; the statuses it gave. Raises where an answer is not as it is declared."""
    from schemathesis.specs.openapi import checks

    conform = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.response_headers_conformance,
    ]
    statuses = set[int]()

    @BOUNDED
    @given(
        case=operation.as_strategy(),
        places=st.fixed_dictionaries(PLACES),
        body=st.sampled_from(BODIES.get(operation.path.rpartition(":")[2], (None,))),
    )
    def once(case: Any, places: dict[str, Any], body: Any) -> None:
        for name in (case.path_parameters or {}).keys() & places.keys():
            if places[name] is not None:
                case.path_parameters[name] = places[name]
        if body is not None:
            case.body = body
        response = case.call(base_url=front.address)
        assert response.status_code != 500, response.text
        case.validate_response(response, checks=conform)
        statuses.add(response.status_code)

    once()
    return statuses


def test_every_operation_answers_as_it_is_declared(operations, described):
    found = {name: ask(operation, described) for name, operation in operations.items()}
    # Some of what is asked is right, and some is wrong in every way.
    for verb in ("predict", "classify", "regress"):
        calls = [statuses for name, statuses in found.items() if name.endswith(f":{verb}")]
        assert len(calls) == 3
        assert {200, 400, 404, 422} <= set().union(*calls), (verb, calls)
    assert {422, 404} <= found["POST /predict/{model}/image"]
    assert all(200 in statuses for name, statuses in found.items() if name.startswith("GET")), found
    assert "Traceback" not in described.log.read_text()

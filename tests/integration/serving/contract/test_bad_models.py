"""Models that cannot be served: each is refused in one line that says why, and what is good beside it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from serving.launchers.readiness import wait_for
from tests.integration.serving.contract.clients import Rest
from tests.integration.serving.contract.servers import served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.server_process import ServerProcess

# What is wrong -> what the one line of the refusal must name.
BAD = {
    "no_index": ("variables/variables.index is missing",),
    "no_shard": ("variables/variables.data-", "is missing"),
    "short_shard": ("short_shard/2",),
    "short_pb": ("short_pb/2",),
    "no_pb": ("saved_model.pb",),
    "unreadable_pb": ("saved_model.pb",),
    "wrong_tags": ("wrong_tags/2", "serve"),
    "custom_op": ("NobodyRegisteredThis",),
    "py_function": ("numpy_function", "py_function/2"),
    "failing_warmup": ("warm-up record 1 of", "not_an_input"),
    "junk_warmup": ("tf_serving_warmup_requests", "TFRecord"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Each model has a good version 1 and a bad version 2."""
    root = tmp_path_factory.mktemp("bad")
    lay_out(root, *((name, 1, "half_plus_two") for name in BAD), *((name, 2, name) for name in BAD))
    with served(root, *(entry(root, name) for name in BAD), flags=("--max_num_load_retries=0",)) as process:
        wait_until_available(process, dict.fromkeys(BAD, 1))
        yield process


@pytest.fixture(scope="module")
def rest(server: ServerProcess) -> Rest:
    return Rest(server.rest_address)


def refusal(rest: Rest, server: ServerProcess, model: str) -> tuple[str, str]:
    def look() -> dict | None:
        answer = rest.get(f"/v1/models/{model}/versions/2")
        rows = json.loads(answer.body)["model_version_status"] if answer.status == 200 else []
        return rows[0]["status"] if rows and rows[0]["state"] == "END" else None

    status = wait_for(look, server.process.poll, what=f"{model} was refused", deadline_seconds=30, logs=server.log.read_text)
    return status["error_code"], status["error_message"]


@pytest.mark.parametrize("model", BAD)
def test_a_bad_version_says_why_and_the_good_one_answers(rest, server, model):
    code, message = refusal(rest, server, model)
    assert code != "OK"
    for word in BAD[model]:
        assert word in message
    assert "\n" not in message
    answer = rest.predict(model, '{"instances": [1.0]}')
    assert (answer.status, json.loads(answer.body)) == (200, {"predictions": [2.5]})
    gone = rest.post(f"/v1/models/{model}/versions/2:predict", '{"instances": [1.0]}')
    assert (gone.status, gone.error) == (404, f"Servable not found for request: Specific({model}, 2)")


def test_no_refusal_costs_the_server_a_traceback(rest, server):
    for model in BAD:
        refusal(rest, server, model)
    assert "Traceback" not in server.log.read_text()

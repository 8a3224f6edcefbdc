"""Ten thousand malformed REST requests harm nobody: each gets an answer that TF Serving could have given."""

from __future__ import annotations

import json
from collections import Counter

from tests.integration.serving.contract.clients import Rest
from tests.integration.serving.fuzz import allowed, rest_requests
from tests.integration.serving.fuzz.conftest import GOOD
from tests.integration.serving.fuzz.http_client import RawHttp, problem
from tests.integration.serving.server_process import ServerProcess

WHOLE, BROKEN = 9_000, 1_000


def still_good(server: ServerProcess) -> bool:
    answer = Rest(server.rest_address).predict(GOOD[0], GOOD[1])
    return answer.status == 200 and json.loads(answer.body)["predictions"] == GOOD[2]


def test_every_malformed_request_gets_an_answer_of_the_contract(unharmed: ServerProcess, seed: int) -> None:
    client, seen, wrong = RawHttp(unharmed.rest_address), Counter[int](), []
    for number in range(WHOLE):
        request = rest_requests.request(seed, number)
        answer = client.ask(request)
        seen[answer.status] += 1
        error = problem(answer, request)
        if answer.status not in allowed.REFUSALS_HTTP and not error and not allowed.reason(allowed.REST, answer.status, answer.error):
            error = "not an error of upstream's"
        if error:
            wrong.append(f"{number}: {error}: {request.content[:300]!r} -> {answer.status} {answer.body[:300]!r}")
        if number % 100 == 99:
            assert still_good(unharmed), f"no good answer after request {number}"
    client.close()
    assert wrong == [], f"SLUICEWAY_FUZZ_SEED={seed}: {len(wrong)} of {WHOLE}"
    # What is refused is most of it, and what is answered shows that the requests are near good ones.
    assert seen[400] > 0.6 * WHOLE
    assert seen[200] > 0.02 * WHOLE


def test_bytes_that_are_no_request_are_refused_and_forgotten(unharmed: ServerProcess, seed: int) -> None:
    client, wrong = RawHttp(unharmed.rest_address), []
    for number in range(BROKEN):
        request = rest_requests.broken(seed, number)
        came = client.shout(request.content)
        if came and not came.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 501", b"HTTP/1.1 100")):
            wrong.append(f"{number}: {request.content[:300]!r} -> {came[:300]!r}")
        if number % 100 == 99:
            assert still_good(unharmed), f"no good answer after request {number}"
    assert wrong == [], f"SLUICEWAY_FUZZ_SEED={seed}"

"""The URL grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.protocol.routes import NoSuchPage, Route, Target, build, parse
from serving.protocol.status import StatusError


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/v1/models/m:predict", Route("predict", Target("m"))),
        ("POST", "/V1/Models/m/versions/3:regress", Route("regress", Target("m", version=3))),
        ("POST", "/v1/models/m/labels/stable:classify", Route("classify", Target("m", label="stable"))),
        ("GET", "/v1/models/m", Route("status", Target("m"))),
        ("GET", "/v1/models/m/versions/007", Route("status", Target("m", version=7))),
        ("GET", "/v1/models/m/metadata", Route("metadata", Target("m"))),
        ("GET", "/v1/models/m/METADATA", Route("status", Target("m"))),
        ("GET", "/v1/models/a%20b/labels/c%3Ad/metadata", Route("metadata", Target("a b", label="c:d"))),
    ],
)
def test_paths_are_understood(method, path, route):
    assert parse(method, path) == route


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("POST", "/v1/models/m:PREDICT", "Malformed request: POST /v1/models/m:PREDICT"),
        ("GET", "/v1/models/m:predict", "Malformed request: GET /v1/models/m:predict"),
        ("POST", "/v1/models/m", "Malformed request: POST /v1/models/m"),
        ("POST", "/v1/models/m/versions/x:predict", "Malformed request: POST /v1/models/m/versions/x:predict"),
        ("PUT", "/v1/models/m", "Malformed request: PUT /v1/models/m"),
        ("GET", "/v1/models", "Missing model name in request."),
        ("GET", f"/v1/models/m/versions/{2**63}", f"Failed to convert version: {2**63} to numeric."),
        ("GET", "/v1/models/m/versions/" + "9" * 5000, "Failed to convert version"),
    ],
)
def test_malformed_paths_get_upstreams_message(method, path, message):
    with pytest.raises(StatusError) as caught:
        parse(method, path)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("path", ["/", "/v2/models/m", "/health"])
def test_other_paths_are_not_ours(path):
    with pytest.raises(NoSuchPage):
        parse("GET", path)


TARGETS = st.builds(Target, st.text(min_size=1), version=st.none() | st.integers(0, 2**63 - 1)) | st.builds(
    Target, st.text(min_size=1), label=st.text(min_size=1)
)


@given(TARGETS, st.sampled_from(["predict", "classify", "regress", "metadata", "status"]))
def test_every_target_can_be_asked(target, verb):
    method = "GET" if verb in ("metadata", "status") else "POST"
    assert parse(method, build(verb, target)) == Route(verb, target)

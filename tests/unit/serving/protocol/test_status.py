"""States, codes and their JSON."""

from __future__ import annotations

import json

import pytest

from serving.protocol.status import HTTP_STATUS, Code, State, VersionStatus, code_of_http, error_json, read_status_json, status_json

STATUSES = [VersionStatus(2**60, State.AVAILABLE), VersionStatus(1, State.END, Code.DATA_LOSS, "cut off")]


def test_statuses_survive_json():
    assert read_status_json(json.loads(status_json(STATUSES))) == STATUSES


def test_a_status_has_upstreams_form():
    assert json.loads(status_json(STATUSES[:1])) == {
        "model_version_status": [{"version": str(2**60), "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
    }


def test_an_error_has_upstreams_form():
    assert error_json("no") == '{\n    "error": "no"\n}'


def test_every_code_has_an_http_number_that_leads_back_to_its_kind():
    for code in Code:
        assert HTTP_STATUS[code_of_http(HTTP_STATUS[code])] == HTTP_STATUS[code]


def test_an_unheard_of_number_is_unknown():
    assert code_of_http(418) is Code.UNKNOWN


@pytest.mark.parametrize("document", [[], {}, {"model_version_status": [{"version": "1", "state": "NONE"}]}, None])
def test_other_documents_are_refused(document):
    with pytest.raises(ValueError, match="not a model status"):
        read_status_json(document)

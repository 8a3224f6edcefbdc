"""What a log tells: TF Serving's lines and our own server's."""

from __future__ import annotations

import pytest

from serving.launchers.server_log import began, load_seconds, refusal

TENSORFLOW = """\
2026-07-30 23:59:58.900000: I tensorflow_serving/model_servers/server_core.cc:573]  (Re-)adding model: taxi
2026-07-30 23:59:59.000000: I tensorflow_serving/core/loader_harness.cc:95] Loading servable version {name: taxi version: 1}
2026-07-30 23:59:59.100000: I external/org_tensorflow/tensorflow/cc/saved_model/reader.cc:83] Reading SavedModel from: /models/taxi/1
2026-07-31 00:00:01.250000: I tensorflow_serving/core/loader_harness.cc:95] Successfully loaded servable version {name: taxi version: 1}
"""
ABSEIL = """\
I0000 00:00:1785412801.500000      42 loader_harness.cc:95] Loading servable version {name: taxi version: 1}
I0000 00:00:1785412802.250000      42 loader_harness.cc:95] Successfully loaded servable version {name: taxi version: 1}
"""
OURS = "2026-11-20 22:35:18,790 INFO loaded taxi version 1 in 0.20 s\n2026-11-20 22:35:18,822 INFO listening\n"
REFUSED = """\
2026-07-30 12:00:00.000000: E tensorflow_serving/util/retrier.cc:49] Loading servable: {name: taxi version: 1} failed: NOT_FOUND: no
Failed to start server. Error: UNKNOWN: 1 servable(s) did not become available: {{name: taxi version: 1} due to error: NOT_FOUND: Op type
not registered 'Mine' in binary. {{node x}}, }
"""


@pytest.mark.parametrize(("log", "seconds"), [(TENSORFLOW, 2.25), (ABSEIL, 0.75), (OURS, 0.2), ("", None), (REFUSED, None)])
def test_the_time_of_the_load_is_read(log, seconds):
    assert load_seconds(log, "taxi") == (pytest.approx(seconds) if seconds else None)


def test_the_time_of_another_models_load_is_not():
    assert load_seconds(TENSORFLOW, "tax") is None


def test_a_log_without_times_does_not_tell():
    assert load_seconds(TENSORFLOW.replace("2026-07-3", "x"), "taxi") is None


def test_a_refusal_is_in_the_servers_words():
    assert refusal(REFUSED) == "NOT_FOUND: Op type not registered 'Mine' in binary. {{node x}}"
    assert refusal("2026-11-20 WARNING version 1 ignored: /m/1 does not appear to be one\n") == "/m/1 does not appear to be one"


@pytest.mark.parametrize("log", ["", TENSORFLOW, OURS, "Failed to start server. Error: UNKNOWN: Failed to BuildAndStart gRPC server\n"])
def test_other_words_are_no_refusal(log):
    assert refusal(log) is None


@pytest.mark.parametrize(
    ("log", "came"), [("", False), ("usage: ...", False), (TENSORFLOW, True), ("TensorFlow 2.21.0 ready in 1 s", True)]
)
def test_it_shows_whether_the_server_came_to_the_model(log, came):
    assert began(log) is came

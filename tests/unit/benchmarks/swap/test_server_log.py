"""Lines of a server's log."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from benchmarks.swap.server_log import Load, loads
from serving.server.loads import Loads
from serving.server.model_config import ModelConfig
from serving.server.models import Models
from tests.fakes.servable import FakeServable

LOG = """\
2026-11-27 09:43:19,321 INFO serving 1 models: taxi
2026-11-27 09:43:37,240 INFO warmed up /store/taxi/2 with 3 records
2026-11-27 09:43:37,240 INFO loaded taxi version 2 in 3.86 s
2026-11-27 09:43:40,500 INFO loaded taxi version 3 in 0.25 s
2026-11-27 09:43:40,600 INFO loaded taxi version 3 in 0.35 s
2026-11-27 09:43:40,550 INFO loaded taxi version 3 in 0.30 s
2026-11-27 09:43:41,000 ERROR load of taxi version 4 failed: DATA_LOSS: loaded taxi version 4 in 1.00 s
"""


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-27 {text}").timestamp()


def test_a_version_is_available_when_its_load_is_told_and_the_last_worker_counts():
    assert loads(LOG) == {2: Load(at("09:43:37.240"), 3.86), 3: Load(at("09:43:40.600"), 0.35)}


def test_what_the_server_logs_today_is_read(caplog):
    caplog.set_level(logging.INFO, "serving.server")
    Loads(Models(), lambda *_: FakeServable()).load(ModelConfig("taxi", "/store/taxi"), 7, Path("/store/taxi/7"))
    assert loads(f"2026-11-27 09:43:19,321 INFO {caplog.messages[-1]}\n").keys() == {7}

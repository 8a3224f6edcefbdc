"""The files that come with the package, and what is said when they do not."""

from __future__ import annotations

import pytest

from configs.errors import SluicewayError
from serving.deployment import shipped


def test_a_file_and_a_folder_are_read():
    found = shipped.tree("compose.yaml", "traefik")
    assert {"compose.yaml", "traefik/traefik.yaml", "traefik/routes/gateway.yaml"} <= set(found)
    assert b"services:" in found["compose.yaml"]


def test_an_incomplete_installation_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "ROOT", tmp_path)
    with pytest.raises(SluicewayError, match=r"compose\.yaml: No such file or directory; this installation is incomplete"):
        shipped.tree("compose.yaml")

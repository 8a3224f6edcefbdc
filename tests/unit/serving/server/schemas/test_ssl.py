"""SSLConfig files."""

from __future__ import annotations

import pytest

from serving.protocol.status import StatusError
from serving.server.schemas import ssl
from serving.server.schemas.ssl import SslSettings

TEXT = r'server_key: "a\nb" server_cert: "c" custom_ca: "d" client_verify: true'


def test_pem_texts_are_inside_the_file(tmp_path):
    (tmp_path / "f").write_text(TEXT)
    path = str(tmp_path / "f")
    assert ssl.from_file(path) == SslSettings("a\nb", "c", "d", True, path)


def test_a_key_is_never_shown(caplog):
    assert "SECRET" not in repr(ssl.read('server_key: "SECRET"', "f"))
    with pytest.raises(StatusError) as caught:
        ssl.read("server_key: SECRET", "f")
    assert "SECRET" not in caplog.text + str(caught.value)

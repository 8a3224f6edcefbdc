"""Who may change a server."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from serving.protocol.status import Code
from serving.server.admin import is_local, read_token, refusal

HERE, THERE = "ipv4:127.0.0.1:50000", "ipv4:10.1.2.3:50000"
GOOD, BAD = [("authorization", "Bearer secret")], [("authorization", "Bearer guess")]


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("ipv4:127.0.0.1:123", True),
        ("ipv4:127.8.9.1:123", True),
        ("ipv6:%5B::1%5D:123", True),
        ("ipv6:[::1]:123", True),
        ("ipv6:%5B::ffff:127.0.0.1%5D:123", True),
        ("unix:", True),
        ("unix:/run/server.sock", True),
        ("unix-abstract:name", True),
        ("ipv4:10.1.2.3:123", False),
        ("ipv6:%5B::ffff:10.1.2.3%5D:123", False),
        ("ipv6:%5Bfe80::1%25eth0%5D:123", False),
        ("ipv4:localhost:123", False),
        ("ipv4:127.0.0.1.evil.example:1", False),
        ("dns:127.0.0.1:1", False),
        ("ipv4:", False),
        ("", False),
    ],
)
def test_only_loopback_and_unix_sockets_are_local(peer, expected):
    assert is_local(peer) is expected


@pytest.mark.parametrize(
    ("peer", "metadata", "token", "code"),
    [
        (HERE, [], None, None),
        (HERE, [], "secret", None),
        (HERE, GOOD, "secret", None),
        (THERE, GOOD, "secret", None),
        (THERE, [("Authorization", b"bearer  secret")], "secret", None),
        (THERE, [], None, Code.PERMISSION_DENIED),
        (THERE, [], "secret", Code.PERMISSION_DENIED),
        (THERE, GOOD, None, Code.PERMISSION_DENIED),
        (THERE, BAD, "secret", Code.UNAUTHENTICATED),
        (HERE, BAD, "secret", Code.UNAUTHENTICATED),
        (HERE, [("authorization", "Basic secret")], "secret", Code.UNAUTHENTICATED),
        (THERE, [("authorization", "secret")], "secret", Code.UNAUTHENTICATED),
        (THERE, [*BAD, *GOOD], "secret", Code.UNAUTHENTICATED),
        (THERE, [("authorization", "Bearer ")], "secret", Code.UNAUTHENTICATED),
        (THERE, [("authorization", "Bearer sécret")], "secret", Code.UNAUTHENTICATED),
    ],
)
def test_a_change_needs_this_machine_or_the_token(peer, metadata, token, code):
    refused = refusal(peer, metadata, token)
    assert (refused.code if refused else None) == code


def test_a_refusal_says_what_to_do_and_keeps_the_token_to_itself():
    for metadata in ([], BAD):
        refused = refusal(THERE, metadata, "secret")
        assert refused is not None
        assert "authorization: Bearer <token>" in refused.message
        assert "secret" not in refused.message
    without = refusal(THERE, [], None)
    assert without is not None
    assert "--admin_token_file" in without.message


def test_strict_lets_everyone_in():
    assert refusal(THERE, BAD, "secret", strict=True) is None


def test_the_token_comes_from_a_variable_or_a_file(tmp_path, caplog):
    path = tmp_path / "token"
    path.write_text("from-file\n", encoding="utf-8")
    path.chmod(0o600)
    assert read_token("NAME", None, {"NAME": " from-variable "}) == "from-variable"
    assert read_token("", path) == "from-file"
    assert read_token("", None) is None
    assert caplog.text == ""


@pytest.mark.parametrize("token", ["sécret", "two\nlines", "a\0b"])
def test_a_token_that_no_caller_could_send_is_refused_and_not_shown(tmp_path, token):
    path = tmp_path / "token"
    path.write_text(token, encoding="utf-8")
    path.chmod(0o600)
    for read in (lambda: read_token("", path), lambda: read_token("NAME", None, {"NAME": token})):
        with pytest.raises(UsageError, match=r"holds a token that no caller could send: .* printable ASCII") as caught:
            read()
        assert token not in str(caught.value)


def test_a_token_that_others_can_read_is_told(tmp_path, caplog):
    path = tmp_path / "token"
    path.write_text("secret", encoding="utf-8")
    path.chmod(0o640)
    assert read_token("", path) == "secret"
    assert "chmod 600" in caplog.text
    assert "secret" not in caplog.text.replace(str(path), "")


@pytest.mark.parametrize("content", ["", " \n", None, b"\xff"])
def test_a_server_does_not_start_without_the_token_it_was_told_to_use(tmp_path, content):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=str(path)):
        read_token("", path)
    with pytest.raises(UsageError, match="NAME"):
        read_token("NAME", None, {"NAME": " "})
    with pytest.raises(UsageError, match="both"):
        read_token("NAME", path)

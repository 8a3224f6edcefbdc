"""The configuration in force follows its file, and the files that it names; what is wrong changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.gateway import GatewayConfig
from serving.gateway import follow as following
from serving.gateway.follow import ConfigFile, follow
from tests.unit.serving.gateway.asgi import log_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text("user_header: one\n")
    return path


def test_a_change_is_seen_once(file):
    followed = ConfigFile(file)
    assert followed.config.user_header == "one"
    assert followed.look() is None
    file.write_text("user_header: two\n")
    found = followed.look()
    assert found is not None
    assert (found.user_header, followed.config.user_header) == ("two", "two")
    assert followed.look() is None


@pytest.mark.parametrize(
    "text", ["user_haeder: two\n", "user_header: [", "[]", "", "\xff", "limits: {batch: 0}", "a: &a [*a]", "!!python/name:os.system x"]
)
def test_a_wrong_file_keeps_the_last_and_is_told_once(file, text):
    followed = ConfigFile(file)
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError):
        followed.look()
    assert followed.config.user_header == "one"
    assert followed.look() is None
    file.write_text("user_header: one\n")
    assert followed.look() is not None


def test_a_file_that_is_gone_keeps_the_last(file):
    followed = ConfigFile(file)
    file.unlink()
    assert followed.look() is None
    file.write_text("user_header: two\n")
    assert followed.look() is not None


def test_a_file_that_is_gone_is_told_once_and_so_is_its_return(file):
    followed = ConfigFile(file)
    text = file.read_text()
    with log_of("serving.gateway.follow") as lines:
        file.unlink()
        assert [followed.look() for _ in range(3)] == [None] * 3
        file.write_text(text)
        assert [followed.look() for _ in range(3)] == [None] * 3
        file.unlink()
        followed.look()
    gone, back = f"{file} is gone; what was in force stays so", f"{file} is back"
    assert lines == [gone, back, gone]


def test_a_file_behind_a_link_that_is_swapped_is_seen(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gateway.yaml").write_text(f"user_header: {name}\n")
    link = tmp_path / "data"
    link.symlink_to("one")
    followed = ConfigFile(link / "gateway.yaml")
    link.unlink()
    link.symlink_to("two")
    assert followed.look() is not None
    assert followed.config.user_header == "two"


def test_a_file_that_is_not_there_or_wrong_is_no_start(tmp_path, file):
    with pytest.raises(ConfigError, match="cannot be read"):
        ConfigFile(tmp_path / "nowhere.yaml")
    file.write_text("x: 1")
    with pytest.raises(ConfigError, match="x: unknown key"):
        ConfigFile(file)


NAMED = "keys: {{file: {0}/keys}}\njwt: {{issuer: i, audience: a, key_file: {0}/public}}\n" + (
    "upstreams: {{default: {{tls: {{ca_file: {0}/ca, cert_file: {0}/cert, key_file: {0}/key}}}}}}\n"
)


@pytest.mark.parametrize("name", ["keys", "public", "ca", "cert", "key"])
def test_a_file_that_it_names_is_followed_too(tmp_path, name):
    file = tmp_path / "gateway.yaml"
    file.write_text(NAMED.format(tmp_path))
    followed = ConfigFile(file)
    (tmp_path / name).write_text("now it is there")
    assert followed.look() == followed.config
    assert followed.look() is None
    (tmp_path / name).write_text("another")
    assert followed.look() is not None
    (tmp_path / name).unlink()
    assert followed.look() is not None


def test_what_takes_a_restart_is_told(file):
    followed = ConfigFile(file)
    file.write_text("port: 1\npage: false\nlimits: {batch: 5, drain_seconds: 7}\n")
    with log_of("serving.gateway.follow") as lines:
        followed.look()
    assert lines == [f"{file}: port, page, limits.drain_seconds changed; that takes a restart"]


def test_changes_are_put_in_force_and_counted_whatever_goes_wrong(file, monkeypatch):
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.001)
    seen: list[str] = []
    counted: list[str] = []

    def apply(config: GatewayConfig) -> None:
        if config.user_header == "cannot":
            raise ConfigError("it cannot be put in force")
        if config.user_header == "broken":
            raise ZeroDivisionError
        seen.append(config.user_header)

    async def story() -> None:
        task = asyncio.create_task(follow(ConfigFile(file), apply, counted.append))
        for number, text in enumerate(
            ("user_header: two", "user_header: [", "user_header: cannot", "user_header: broken", "user_header: three")
        ):
            file.write_text(text)
            while len(counted) <= number:
                await asyncio.sleep(0.001)
        task.cancel()

    with log_of("serving.gateway.follow") as lines:
        asyncio.run(story())
    assert seen == ["two", "three"]
    assert counted == ["ok", "refused", "refused", "refused", "ok"]
    assert f"the configuration was not changed: {file}: it cannot be put in force" in lines


def test_what_was_refused_for_what_is_outside_the_file_is_tried_until_it_holds_and_told_once(file, monkeypatch):
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.001)
    counted: list[str] = []
    tries: list[str] = []

    def apply(config: GatewayConfig) -> None:
        tries.append(config.user_header)
        if len(tries) < 5:
            raise ConfigError("a folder is not there" if len(tries) < 4 else "another trouble")

    async def story() -> None:
        task = asyncio.create_task(follow(ConfigFile(file), apply, counted.append))
        file.write_text("user_header: two\n")
        while "ok" not in counted:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        task.cancel()

    with log_of("serving.gateway.follow") as lines:
        asyncio.run(story())
    assert tries == ["two"] * 5
    assert counted == ["refused", "ok"]
    assert [line.rpartition(": ")[2] for line in lines[:-1]] == ["a folder is not there", "another trouble"]
    assert lines[-1].endswith("is in force")


def test_whatever_goes_wrong_while_it_is_read_the_next_one_is_followed(file, monkeypatch):
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.001)
    counted: list[str] = []

    async def story() -> None:
        followed = ConfigFile(file)
        look, troubles = followed.look, [RecursionError("so deep")]
        monkeypatch.setattr(followed, "look", lambda: throw(troubles.pop()) if troubles else look())
        task = asyncio.create_task(follow(followed, lambda _: None, counted.append))
        while not counted:
            await asyncio.sleep(0.001)
        file.write_text("user_header: two\n")
        while len(counted) < 2 and not task.done():
            await asyncio.sleep(0.001)
        task.cancel()

    def throw(error: Exception) -> None:
        raise error

    with log_of("serving.gateway.follow"):
        asyncio.run(story())
    assert counted == ["refused", "ok"]


def test_what_was_refused_is_forgotten_once_the_file_holds_another(file, monkeypatch):
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.001)
    counted: list[str] = []
    tries: list[str] = []

    def apply(config: GatewayConfig) -> None:
        tries.append(config.user_header)
        raise ConfigError("it cannot be put in force")

    async def story() -> None:
        task = asyncio.create_task(follow(ConfigFile(file), apply, counted.append))
        for number, text in enumerate(("user_header: two", "user_header: [")):
            file.write_text(text)
            while len(counted) <= number:
                await asyncio.sleep(0.001)
        tries.clear()
        await asyncio.sleep(0.02)
        task.cancel()

    with log_of("serving.gateway.follow"):
        asyncio.run(story())
    assert tries == []

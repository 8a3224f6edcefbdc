"""What a gateway holds is changed in one step or not at all, while requests run."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from configs.errors import ConfigError, UsageError
from configs.gateway import Arm, GatewayConfig, Keys, Model, Shadow, Tls, Upstream
from serving.gateway.access import digest_of
from serving.gateway.state import Gateway, check
from tests.unit.serving.gateway.asgi import Stage, log_of, play


@pytest.mark.parametrize(
    ("rules", "saying"),
    [
        (Model(upstream="gone"), "^models.m.upstream: no upstream 'gone'; there are: default"),
        (Model(arms=[Arm(version=1, label="a")]), r"^models.m.arms\[0\]: version and label are both given"),
        (Model(arms=[Arm(version=1), Arm(version=1)]), r"^models.m.arms\[1\]: v1 stands there twice"),
        (Model(arms=[Arm(), Arm()]), "newest stands there twice"),
        (Model(arms=[Arm(version=1, weight=0.0)]), "every weight is 0"),
        (Model(shadow=Shadow()), "^models.m.shadow: give one of version and label"),
        (Model(shadow=Shadow(version=1, label="a")), "give one of version and label"),
    ],
)
def test_parts_that_contradict_each_other_are_told(rules, saying):
    with pytest.raises(ConfigError, match=saying):
        check(GatewayConfig(models={"m": rules}))


@pytest.mark.parametrize(
    "address",
    ["localhost", "", ":8500", "http://localhost:8500", "::1:8500", "[::1]", "host:", "host:0", "dns:///host", "a b:1"],
)
def test_an_address_without_a_port_is_told(address):
    with pytest.raises(ConfigError, match=r"^upstreams.x.grpc: .* is no address; allowed: host:port"):
        check(GatewayConfig(upstreams={"x": Upstream(grpc=address)}))


@pytest.mark.parametrize(
    "address",
    ["localhost:8500", "10.0.0.7:8500", "[::1]:8500", "dns:///models.example:443", "dns:models:1", "unix:/run/a", "unix:///run/a"],
)
def test_an_address_is_one_of_grpcs(address):
    check(GatewayConfig(upstreams={"x": Upstream(grpc=address)}))


def test_a_version_and_a_label_of_its_name_are_two_arms():
    check(GatewayConfig(models={"m": Model(arms=[Arm(version=3), Arm(label="v3"), Arm(), Arm(label="newest")])}))


def changed(stage: Stage, **changes: object) -> GatewayConfig:
    return msgspec.structs.replace(stage.gateway.config, **changes)


def test_another_configuration_counts_from_the_next_request_on():
    async def story(stage: Stage) -> None:
        assert (await stage.predict()).headers["x-model-version"] == "2"
        upstream = stage.gateway.upstreams["default"]
        stage.gateway.put_in_force(changed(stage, models={"m": Model(arms=[Arm(version=1)])}))
        assert (await stage.predict()).headers["x-model-version"] == "1"
        assert stage.gateway.upstreams["default"] is upstream

    play(story)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"models": {"m": Model(upstream="gone")}}, ConfigError),
        ({"keys": Keys(file="/nowhere")}, ConfigError),
        ({"upstreams": {"default": Upstream(tls=Tls(ca_file="/nowhere"))}}, ConfigError),
    ],
)
def test_a_wrong_one_changes_nothing(changes, kind):
    async def story(stage: Stage) -> None:
        before = stage.gateway.config
        with pytest.raises(kind):
            stage.gateway.put_in_force(changed(stage, **changes, user_header="other"))
        assert stage.gateway.config is before
        assert (await stage.predict()).status_code == 200

    play(story)


def test_requests_that_have_begun_end_on_the_server_that_they_began_on():
    async def story(stage: Stage) -> None:
        room = stage.gateway.room("m")
        async with room.room():
            waiting = [asyncio.ensure_future(stage.predict()) for _ in range(3)]
            while room.waiting < 3:
                await asyncio.sleep(0.001)
            breaker = msgspec.structs.replace(stage.gateway.config.breaker, failures=9)
            before = stage.gateway.upstreams["default"]
            stage.gateway.put_in_force(changed(stage, breaker=breaker))
            assert stage.gateway.upstreams["default"] is not before
            # Time for the old one to be closed, if anything closes it now.
            for _ in range(20):
                await asyncio.sleep(0)
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 3
        assert (await stage.predict()).status_code == 200

    play(story, {"limits": {"concurrency": 1}})


def test_other_limits_count_for_rooms_that_are_there():
    async def story(stage: Stage) -> None:
        await stage.predict()
        limits = msgspec.structs.replace(stage.gateway.config.limits, concurrency=1, queue=0)
        stage.gateway.put_in_force(changed(stage, limits=limits))
        async with stage.gateway.room("m").room():
            assert (await stage.predict()).status_code == 503

    play(story)


def test_a_server_that_is_gone_from_the_configuration_is_not_asked():
    async def story(stage: Stage) -> None:
        stage.gateway.put_in_force(changed(stage, upstreams={"far": Upstream(grpc="127.0.0.1:1")}))
        answer = await stage.predict()
        assert answer.status_code == 404

    play(story)


def test_rooms_of_strangers_do_not_fill_the_memory():
    async def story(stage: Stage) -> None:
        async with stage.gateway.room("m").room():
            for number in range(3000):
                stage.gateway.room(f"nonsense{number}")
            assert len(stage.gateway._rooms) <= 1001
            assert stage.gateway.room("m").under_way == 1

    play(story)


def test_a_key_keeps_its_owner_on_one_arm_where_no_user_is_named(tmp_path):
    file = tmp_path / "keys"
    file.write_text("\n".join(f"app{number}: {digest_of(str(number))}" for number in range(10)))

    async def story(stage: Stage) -> None:
        seen: dict[int, set[str]] = {}
        for turn in range(50):
            answer = await stage.predict(x_api_key=str(turn % 10))
            seen.setdefault(turn % 10, set()).add(answer.headers["x-model-version"])
        assert all(len(versions) == 1 for versions in seen.values())
        assert {version for versions in seen.values() for version in versions} == {"1", "2"}

    play(story, {"keys": {"file": str(file)}, "models": {"m": {"arms": [{"version": 1}, {"version": 2}]}}})


def test_a_store_that_is_gone_stops_a_start_and_no_change(tmp_path):
    async def story(stage: Stage) -> None:
        with log_of("serving.gateway.catalogue") as lines:
            stage.gateway.put_in_force(changed(stage, store=str(tmp_path / "later"), user_header="other"))
        assert stage.gateway.config.user_header == "other"
        assert lines[0].startswith(f"there is no version store in {tmp_path}/later yet")
        assert "no version store" in str(await stage.gateway.catalogue.problem())
        (tmp_path / "later").mkdir()
        assert await stage.gateway.catalogue.problem() is None
        with pytest.raises(UsageError, match=r"^store: there is no folder /nowhere"):
            Gateway(GatewayConfig(store="/nowhere"))

    play(story)

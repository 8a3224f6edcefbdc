"""What a running gateway holds: the configuration in force and what was made of it. Changed in one step, or not at all."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from configs.errors import ConfigError, UsageError
from configs.gateway import GatewayConfig, Model
from serving.gateway.access import Access, Caller
from serving.gateway.admission import Admission
from serving.gateway.buckets import TokenBuckets
from serving.gateway.calls import Calls
from serving.gateway.catalogue import Catalogue
from serving.gateway.metrics import Metrics
from serving.gateway.routing import Asked, Choice, Target, asked, choose, is_shadowed, shadow_target
from serving.gateway.shadow import Shadows
from serving.gateway.unserved import Noticed
from serving.gateway.upstream import UpstreamServer, ingredients
from serving.protocol.status import Code, StatusError

_MOST_ROOMS = 1000
# gRPC's names; a name without a port would be asked at 443.
_ADDRESS = re.compile(
    r"(unix|unix-abstract|ipv4|ipv6|xds):.+|(dns:(//[^/]*/)?)?(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):[1-9][0-9]{0,4}", re.ASCII
)
_SHADOW_SECONDS = 1.0


class Gateway:
    """Belongs to one event loop."""

    def __init__(self, config: GatewayConfig, store: Path | None = None) -> None:
        """
        Args:
            store: the version store's folder where the configuration names none; it may come later.

        Raises:
            UsageError: a file or folder that the configuration names is not there, or two parts of it contradict each other. It begins with
                the key, without the place where that stands (`serving.gateway.follow.keys_stand_in`).
        """
        self.metrics = Metrics()
        self.shadows = Shadows(self.metrics)
        self.buckets = TokenBuckets(time.monotonic)
        self.noticed = Noticed()
        self.draining = False
        self._store = store
        self._rooms: dict[str, Admission] = {}
        self._upstreams: dict[str, UpstreamServer] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.config = config
        # Only at the start: later it must not keep what else has changed, a key that was taken out, from being put in force.
        if config.store is not None and not Path(config.store).expanduser().is_dir():
            raise UsageError(f"store: there is no folder {config.store}")
        self.put_in_force(config)

    def put_in_force(self, config: GatewayConfig) -> None:
        """Raises ConfigError, and then nothing has changed."""
        check(config)
        access = Access(config)
        upstreams = {}
        for name, upstream in config.upstreams.items():
            old = self._upstreams.get(name)
            same = old is not None and old.made_of == ingredients(name, upstream, config.breaker)
            upstreams[name] = old if same and old is not None else UpstreamServer(name, upstream, config.breaker)
        gone = [old for name, old in self._upstreams.items() if upstreams.get(name) is not old]
        longest = _longest(self.config)
        # Last, for it tells the log of a store that is not there: what is refused is tried again and again.
        catalogue = Catalogue(config.store, self._store)
        self.config, self.access, self.catalogue, self._upstreams = config, access, catalogue, upstreams
        self.calls = Calls(config.limits, self.metrics, self.shadows)
        for name, room in self._rooms.items():
            room.resize(self.rules(name).concurrency or config.limits.concurrency, config.limits.queue, config.limits.queue_seconds)
        for model in config.models:
            self.metrics.learn(model)
        for old in gone:
            # Requests that have begun on it have calls yet to make.
            task = asyncio.get_running_loop().create_task(_retire(old, longest))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    @property
    def upstreams(self) -> Mapping[str, UpstreamServer]:
        """By name."""
        return self._upstreams

    def rules(self, model: str) -> Model:
        """How a model is asked."""
        return self.config.models.get(model) or Model()

    def upstream_of(self, model: str) -> UpstreamServer:
        """Who is asked for a model. Raises StatusError where nobody is."""
        if model not in self.config.models and (self.config.only_listed or "default" not in self._upstreams):
            raise StatusError(Code.NOT_FOUND, f"there is no model {model} here; which there are: GET /models")
        return self._upstreams[self.rules(model).upstream]

    def room(self, model: str) -> Admission:
        """The room for requests to a model."""
        if model not in self._rooms:
            if len(self._rooms) >= _MOST_ROOMS:
                # Names come from callers: what nobody is in may go.
                self._rooms = {name: room for name, room in self._rooms.items() if room.present or room.under_way or room.waiting}
            limits = self.config.limits
            self._rooms[model] = Admission(self.rules(model).concurrency or limits.concurrency, limits.queue, limits.queue_seconds)
        return self._rooms[model]

    def full_room(self, model: str) -> Admission | None:
        """The room of a model where nobody else finds any, else None."""
        room = self._rooms.get(model)
        return room if room is not None and room.is_full else None

    def timeout(self, model: str) -> float:
        """Seconds for a model's answer."""
        return self.rules(model).timeout_seconds or self.config.limits.timeout_seconds

    def route(self, model: str, verb: str, path: Target, headers: Mapping[str, str], caller: Caller) -> tuple[Asked, Choice]:
        """Which version answers, and where a copy goes. Raises ValueError for headers that say nothing sensible."""
        rules = self.rules(model)
        chosen = asked(path, headers.get("x-model-version"), headers.get("x-model-label"))
        if chosen is None:
            key = headers.get(self.config.user_header.lower()) or (caller.name if not self.access.is_open else secrets.token_hex(8))
            chosen = choose(model, rules.arms, key)
        shadow = rules.shadow if is_shadowed(rules.shadow, chosen.target, random.random()) else None
        copy = None if shadow is None else shadow_target(shadow)
        return Asked(model, verb, chosen.target, copy, shadow.tolerance if shadow else 0.0), chosen

    async def close(self) -> None:
        """Let copies under way end, and close what is open."""
        await self.shadows.settle(_SHADOW_SECONDS)
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*(upstream.close() for upstream in self._upstreams.values()), *self._closing, return_exceptions=True)


def _longest(config: GatewayConfig) -> float:
    """Seconds that a request may take which asks for a signature, waits for room and asks for an answer."""
    timeouts = [config.limits.timeout_seconds, *(rules.timeout_seconds or 0.0 for rules in config.models.values())]
    return config.limits.queue_seconds + 2 * max(timeouts)


async def _retire(upstream: UpstreamServer, seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:
        await upstream.close()


def check(config: GatewayConfig) -> None:
    """Hold the parts of a configuration against each other. Raises ConfigError."""
    for name, upstream in config.upstreams.items():
        if not _ADDRESS.fullmatch(upstream.grpc):
            raise ConfigError(
                f"upstreams.{name}.grpc: {upstream.grpc!r} is no address; allowed: host:port, [v6]:port, dns:///host:port, unix:path"
            )
    for name, rules in config.models.items():
        place = f"models.{name}"
        if rules.upstream not in config.upstreams:
            raise ConfigError(
                f"{place}.upstream: no upstream {rules.upstream!r}; there are: {', '.join(sorted(config.upstreams)) or 'none'}"
            )
        seen: set[Target] = set()
        for number, arm in enumerate(rules.arms):
            if arm.version is not None and arm.label is not None:
                raise ConfigError(f"{place}.arms[{number}]: version and label are both given; give one")
            target = Target(arm.version, arm.label)
            if target in seen:
                raise ConfigError(f"{place}.arms[{number}]: {target.name} stands there twice")
            seen.add(target)
        if rules.arms and not any(arm.weight > 0 for arm in rules.arms):
            raise ConfigError(f"{place}.arms: every weight is 0; give one arm more than that")
        shadow = rules.shadow
        if shadow is not None and (shadow.version is None) == (shadow.label is None):
            raise ConfigError(f"{place}.shadow: give one of version and label")

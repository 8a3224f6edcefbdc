"""Arms and shadows that name what is not served: their users are told 404, and nobody else would be told anything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from configs.gateway import Arm, Model, Shadow
from serving.gateway.routing import Target
from serving.protocol.status import HTTP_STATUS, Code, State, StatusError, VersionStatus

if TYPE_CHECKING:
    from serving.gateway.state import Gateway

log = logging.getLogger(__name__)

# How servers call a label that they do not have. Anything else says nothing about the label.
_NOT_SERVED = frozenset({Code.NOT_FOUND, Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION})
_LOOK_SECONDS = 3.0


class Noticed:
    """Tells each problem in the log once, and again when it comes back."""

    def __init__(self) -> None:
        self._told: dict[str, list[str]] = {}

    def notice(self, model: str, problems: list[str]) -> None:
        """``problems``: all that the model has now."""
        for problem in problems:
            if problem not in self._told.get(model, ()):
                log.warning("models.%s: %s", model, problem)
        self._told[model] = problems


async def look(gateway: Gateway) -> None:
    """Tell the log of every model, as far as the servers can be asked now; `problems` does it whenever a model is asked for."""
    for model, rules in list(gateway.config.models.items()):
        if rules.arms or rules.shadow:
            with contextlib.suppress(StatusError):
                await problems(gateway, model, await gateway.upstream_of(model).status(model, _LOOK_SECONDS))


async def problems(gateway: Gateway, model: str, statuses: Sequence[VersionStatus]) -> list[str]:
    """One line for each arm and shadow of a model that names what is not served; the log is told of new ones."""
    upstream, seconds = gateway.upstream_of(model), min(_LOOK_SECONDS, gateway.timeout(model))
    found = await unserved(gateway.rules(model), statuses, lambda target: upstream.signatures(model, target, seconds, counted=False))
    gateway.noticed.notice(model, found)
    return found


async def unserved(rules: Model, statuses: Sequence[VersionStatus], ask: Callable[[Target], Awaitable[object]]) -> list[str]:
    """The same of some rules.

    Args:
        ask: asks for the signatures of a target; raises StatusError. Statuses know no labels.
    """
    served = {status.version for status in statuses if status.state is State.AVAILABLE}

    async def refusal(place: Arm | Shadow) -> Code | None:
        if place.version is not None:
            return None if place.version in served else Code.NOT_FOUND
        try:
            # The newest needs no look: that there is none is told elsewhere.
            if place.label is not None:
                await ask(Target(label=place.label))
        except StatusError as error:
            return error.code if error.code in _NOT_SERVED else None
        return None

    places: list[Arm | Shadow] = [arm for arm in rules.arms if arm.weight > 0]
    places += [rules.shadow] if rules.shadow is not None and rules.shadow.share > 0 else []
    codes = await asyncio.gather(*map(refusal, places))
    return [_line(place, code) for place, code in zip(places, codes, strict=True) if code is not None]


def _line(place: Arm | Shadow, code: Code) -> str:
    named = f"version {place.version}" if place.version is not None else f"label {place.label}"
    if isinstance(place, Shadow):
        return f"shadow {named} is not served; copies to it fail"
    return f"arm {named} is not served; its users get {HTTP_STATUS[code]}"

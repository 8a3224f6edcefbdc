"""What stands around the nodes where each runs as a step of its own: the plan before them, the refusal or the proof after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from configs.schema import Settings
from pipeline.fingerprint import judging_digest
from pipeline.layout import layout_of
from pipeline.run import check, nothing_new, plan
from serving.store import open_store
from serving.store.base import Version, VersionStore
from serving.verdict import Verdict

# The run of a step that belongs to none.
BY_HAND = "step"
GO, UNCHANGED = "go", "unchanged"


@dataclass(frozen=True)
class StepPlan:
    """What the nodes of a run have to know of it, found once; as values between steps they make a cache that knows content.

    decision:      ``go``, or ``unchanged`` where the live version was made of the very same data, configuration and code.
    data_digest:   of the rows' files.
    fingerprint:   of all that decides the model.
    code, judging: digests of the code that trains, and of that which judges.
    """

    decision: str
    data_digest: str
    fingerprint: str
    code: str
    judging: str
    live: int | None

    def values(self) -> dict[str, str]:
        """The values that go on to the nodes."""
        return {
            "decision": self.decision,
            "data_digest": self.data_digest,
            "fingerprint": self.fingerprint,
            "code": self.code,
            "judging": self.judging,
        }


def plan_step(settings: Settings) -> StepPlan:
    """Look at configuration, data and store; nothing is written, TFX is not imported.

    Raises:
        UsageError: configuration, use case and data do not fit.
    """
    planned = plan(check(settings))
    store = _store(settings)
    live = store.live(settings.name)
    decision = UNCHANGED if nothing_new(planned, store) else GO
    digest = planned.checked.source.digest
    return StepPlan(decision, digest, planned.fingerprint, planned.code, judging_digest(), live.number if live else None)


def refused_step(settings: Settings, verdict: Verdict, run_id: str) -> None:
    """Keep a refusal in the ledger of the use case; once for a run, however often an orchestrator tries the step again."""
    store = _store(settings)
    told = [(event.kind, event.run_id, event.details.get("gate")) for event in store.history(settings.name)]
    if ("refuse", run_id, verdict.gate) not in told or run_id == BY_HAND:
        store.refuse(settings.name, verdict, run_id)


def prove_step(settings: Settings) -> tuple[Version | None, Sequence[Any]]:
    """Ask the live version, in a server of its own, a golden request. Returns (what is live, the answers).

    Raises:
        SluicewayError: it could not be asked, or it answered something else than the trainer did.
    """
    from pipeline.proof import prove

    live = _store(settings).live(settings.name)
    return live, prove(settings, live) if live is not None else ()


def live_number(settings: Settings) -> int | None:
    """The number of the live version; None where nothing is."""
    live = _store(settings).live(settings.name)
    return live.number if live else None


def _store(settings: Settings) -> VersionStore:
    return open_store(settings.environment.store.kind, str(layout_of(settings).store))

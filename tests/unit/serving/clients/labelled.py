"""The fake client with version labels, and with answers that name their version, as a server's gRPC does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serving.clients.base import Answers, Classes, Features, Outputs, Signatures, bad_request
from serving.clients.conversation import target_of
from serving.errors import BadRequest
from serving.protocol.status import VersionStatus
from tests.fakes.client import FakeClient, FakeModel


class LabelledFake(FakeClient):
    """``labels``: model to label to version."""

    def __init__(self, models: Mapping[str, Mapping[int, FakeModel]], labels: Mapping[str, Mapping[str, int]] | None = None) -> None:
        super().__init__(models)
        self.labels = labels or {}

    def _which(self, model: str, version: int | None, label: str | None) -> int | None:
        target_of(model, version, label)
        if label is None:
            return version
        if label not in self.labels.get(model, {}):
            raise bad_request(f"Unrecognized servable version label: {label}")
        return self.labels[model][label]

    def _answering(self, model: str, version: int | None) -> int:
        return version if version is not None else max(self.models[model])

    def predict(
        self, model: str, inputs: Mapping[str, Any], *, version: int | None = None, label: str | None = None, **rest: Any
    ) -> Outputs:
        version = self._which(model, version, label)
        return Outputs(super().predict(model, inputs, version=version, **rest), self._answering(model, version))

    def classify(
        self, model: str, examples: Sequence[Features], *, version: int | None = None, label: str | None = None, **rest: Any
    ) -> Answers[Classes]:
        version = self._which(model, version, label)
        return Answers(super().classify(model, examples, version=version, **rest), self._answering(model, version))

    def regress(
        self, model: str, examples: Sequence[Features], *, version: int | None = None, label: str | None = None, **rest: Any
    ) -> Answers[float]:
        version = self._which(model, version, label)
        return Answers(super().regress(model, examples, version=version, **rest), self._answering(model, version))

    def status(
        self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None
    ) -> list[VersionStatus]:
        return super().status(model, self._which(model, version, label), timeout=timeout)

    def metadata(self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None) -> Signatures:
        version = self._which(model, version, label)
        return Signatures(super().metadata(model, version, timeout=timeout), self._answering(model, version))

    def live_version(self, model: str, *, label: str | None = None, timeout: float | None = None) -> int | None:
        del timeout
        try:
            return super().live_version(model) if label is None else self._which(model, None, label)
        except BadRequest:
            return None

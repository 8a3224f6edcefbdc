"""A PredictClient that answers from Python functions, by the same rules as the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from serving.clients.base import Array, Features, find_signature, latest_available
from serving.errors import BadRequest, ModelNotFound
from serving.protocol.casting import cast
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import State, VersionStatus


def _no_such(*_: Any) -> Any:
    raise BadRequest("No signature was found with the name: serving_default", code="INVALID_ARGUMENT")


@dataclass(frozen=True)
class FakeModel:
    """One version of a model. ``run`` gets the signature's name and its inputs as arrays."""

    signatures: Mapping[str, SignatureSpec]
    run: Callable[[str, dict[str, Array]], Mapping[str, npt.ArrayLike]]
    classify: Callable[[str | None, Sequence[Features]], list[list[tuple[str, float]]]] = _no_such
    regress: Callable[[str | None, Sequence[Features]], list[float]] = _no_such


class FakeClient:
    """Serves ``{model: {version: FakeModel}}``; change the mapping and the next call sees it."""

    def __init__(self, models: Mapping[str, Mapping[int, FakeModel]]) -> None:
        self.models = models
        self.closed = False

    def _find(self, model: str, version: int | None) -> FakeModel:
        versions = self.models.get(model, {})
        wanted = max(versions, default=None) if version is None else version
        if wanted is None or wanted not in versions:
            which = f"Latest({model})" if version is None else f"Specific({model}, {version})"
            raise ModelNotFound(f"Servable not found for request: {which}", code="NOT_FOUND")
        return versions[wanted]

    def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  part of the contract
    ) -> dict[str, Array]:
        found = self._find(model, version)
        spec = find_signature(found.signatures, signature)
        if set(inputs) != set(spec.inputs):
            raise BadRequest(f"signature {spec.name} takes {sorted(spec.inputs)}, got {sorted(inputs)}", code="INVALID_ARGUMENT")
        try:
            arrays = {name: cast(value, spec.inputs[name].dtype) for name, value in inputs.items()}
        except ValueError as error:
            raise BadRequest(str(error), code="INVALID_ARGUMENT") from error
        outputs = found.run(spec.name, arrays)
        return {name: cast(np.asarray(outputs[name]), output.dtype) for name, output in spec.outputs.items()}

    def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  part of the contract
    ) -> list[list[tuple[str, float]]]:
        return self._find(model, version).classify(signature, examples)

    def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  part of the contract
    ) -> list[float]:
        return self._find(model, version).regress(signature, examples)

    def status(self, model: str, version: int | None = None, *, timeout: float | None = None) -> list[VersionStatus]:  # noqa: ARG002
        versions = sorted(self.models.get(model, {}), reverse=True)
        if version is not None:
            versions = [version] if version in versions else []
        if not versions:
            raise ModelNotFound(f"Could not find any versions of model {model}", code="NOT_FOUND")
        return [VersionStatus(number, State.AVAILABLE) for number in versions]

    def metadata(self, model: str, version: int | None = None, *, timeout: float | None = None) -> dict[str, SignatureSpec]:  # noqa: ARG002
        return dict(self._find(model, version).signatures)

    def live_version(self, model: str, *, timeout: float | None = None) -> int | None:  # noqa: ARG002
        return latest_available(self.status(model)) if self.models.get(model) else None

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

"""A client that waits for each answer: the contract's methods around one way to send. What carries it is a subclass's business."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy.typing as npt

from configs.errors import UsageError
from serving.clients.base import Answers, Classes, Features, Outputs, Signatures
from serving.clients.conversation import Conversation, target_of
from serving.clients.retry import Steps, Wait
from serving.errors import PredictError
from serving.protocol.status import VersionStatus

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class BlockingClient(ABC):
    """A `PredictClient` but for `_send` and `_disconnect`."""

    def __init__(self, conversation: Conversation, sleep: Callable[[float], None] = time.sleep) -> None:
        self._talk = conversation
        self._sleep = sleep
        self._closed = False

    @abstractmethod
    def _send(self, call: Any, seconds: float) -> Any:
        """The answer to one call. Raises PredictError."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Let go of the connections. Called once."""

    def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Outputs:
        """See `PredictClient.predict`."""
        return self._run(self._talk.predict(target_of(model, version, label), inputs, signature, timeout))

    def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Answers[Classes]:
        """See `PredictClient.classify`."""
        return self._run(self._talk.classify(target_of(model, version, label), examples, signature, timeout))

    def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Answers[float]:
        """See `PredictClient.regress`."""
        return self._run(self._talk.regress(target_of(model, version, label), examples, signature, timeout))

    def status(
        self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None
    ) -> list[VersionStatus]:
        """See `PredictClient.status`."""
        return self._run(self._talk.status(target_of(model, version, label), timeout))

    def metadata(self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None) -> Signatures:
        """See `PredictClient.metadata`."""
        return self._run(self._talk.metadata(target_of(model, version, label), timeout))

    def live_version(self, model: str, *, label: str | None = None, timeout: float | None = None) -> int | None:
        """See `PredictClient.live_version`."""
        return self._run(self._talk.live_version(target_of(model, None, label), timeout))

    def close(self) -> None:
        """See `PredictClient.close`."""
        if not self._closed:
            self._closed = True
            self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _run(self, steps: Steps[T]) -> T:
        if self._closed:
            raise UsageError("this client is closed; open another one")
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._sleep(step.seconds) if isinstance(step, Wait) else self._send(step.call, step.seconds)
                except PredictError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

"""Questions and answers between two processes, as lines of JSON over a socket pair. Both sides may ask at any time."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeout
from typing import Any

from serving.protocol.status import Code, StatusError

log = logging.getLogger(__name__)

# Answers one question: (what, about) -> a value that JSON can carry. Raises StatusError.
Answerer = Callable[[str, Any], Any]
_THREADS = 8


class Channel:
    """One end of a socket pair. Usable from many threads."""

    def __init__(self, sock: socket.socket, answer: Answerer, gone: Callable[[], None] = lambda: None) -> None:
        """``gone`` is called once when the other side has closed."""
        self._socket, self._answer, self._gone = sock, answer, gone
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self._sending, self._asking = threading.Lock(), threading.Lock()
        self._closed = False
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="channel")
        threading.Thread(target=self._read, name="channel", daemon=True).start()

    def ask(self, what: str, about: Any = None, timeout_seconds: float | None = None) -> Any:
        """The other side's answer. Raises StatusError: its own, UNAVAILABLE when it is gone, DEADLINE_EXCEEDED when it takes too long."""
        return self.wait(self.begin(what, about), what, timeout_seconds)

    def begin(self, what: str, about: Any = None) -> Future[Any]:
        """Ask without waiting; see `wait`."""
        future: Future[Any] = Future()
        with self._asking:
            if self._closed:
                future.set_exception(_gone())
                return future
            number = next(self._numbers)
            self._waiting[number] = future
        self._send({"ask": number, "what": what, "about": about})
        return future

    @staticmethod
    def wait(future: Future[Any], what: str, timeout_seconds: float | None = None) -> Any:
        """The answer to a question that was asked with `begin`. Raises as `ask`."""
        try:
            return future.result(timeout_seconds)
        except WaitTimeout as error:
            raise StatusError(Code.DEADLINE_EXCEEDED, f"{what}: no answer from another process of the server in time") from error

    def tell(self, what: str, about: Any = None) -> None:
        """Say something that needs no answer."""
        self._send({"what": what, "about": about})

    def close(self) -> None:
        """Close this end."""
        self._end()

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            with self._sending:
                self._socket.sendall(line)
        except OSError:
            self._end()

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass  # the other side died in the middle of a line
        self._end()
        with self._sending:
            self._socket.close()
        self._gone()

    def _take(self, message: dict[str, Any]) -> None:
        if "answer" in message:
            future = self._waiting.pop(message["answer"], None)
            if future is not None:
                if "code" in message:
                    future.set_exception(StatusError(Code(message["code"]), message["message"]))
                else:
                    future.set_result(message["value"])
        else:
            with contextlib.suppress(RuntimeError):  # closed meanwhile: nobody waits for the answer
                self._pool.submit(self._reply, message)

    def _reply(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"answer": message.get("ask")}
        try:
            answer["value"] = self._answer(message["what"], message["about"])
        except StatusError as error:
            answer |= {"code": int(error.code), "message": error.message}
        except Exception as error:  # the other side must not wait for ever
            log.exception("%s failed", message["what"])
            answer |= {"code": int(Code.INTERNAL), "message": f"{type(error).__name__}: {error}"}
        if answer["answer"] is not None:
            self._send(answer)

    def _end(self) -> None:
        with self._asking:
            if self._closed:
                return
            self._closed = True
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(_gone())
        with contextlib.suppress(OSError):  # it may be closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._pool.shutdown(wait=False)


def _gone() -> StatusError:
    return StatusError(Code.UNAVAILABLE, "another process of the server is gone; try again")

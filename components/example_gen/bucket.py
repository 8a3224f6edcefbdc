"""Files in a bucket: found by URI, opened by URI, and what goes wrong there told in one line within bounded time."""

from __future__ import annotations

import concurrent.futures
import io
import os
import re
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any, TypeVar

from components.example_gen.spans import check_spans, has_spans, is_aside, newest, pattern_of
from configs.errors import UsageError

SCHEMES = ("gs", "s3")
# The files of a folder that are rows.
ROW_SUFFIXES = (".csv", ".parquet")
_ROWS = " or ".join(f"'*{suffix}'" for suffix in ROW_SUFFIXES)
# A file up to this size is read whole before the run, as a local one is.
WHOLE_BYTES = 32 * 2**20
_HEAD_BYTES = 2**20
_CONNECT_SECONDS, _REQUEST_SECONDS, _SECONDS = 5.0, 15.0, 60.0
_Result = TypeVar("_Result")
_HINTS = (
    (r"NO_SUCH_BUCKET|bucket does not exist|[Bb]ucket \S+ not found", "there is no such bucket"),
    (
        r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|INVALID_CLIENT_TOKEN|UNRECOGNIZED_CLIENT|MISSING_AUTHENTICATION|HTTP status 40[13]"
        r"|response code: 40[13]|[Cc]redentials|PERMISSION_DENIED|UNAUTHENTICATED",
        "access denied; give credentials that may read it (for s3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role; for gs:"
        " GOOGLE_APPLICATION_CREDENTIALS)",
    ),
    (
        r"NETWORK_CONNECTION|curl ?[Cc]ode|[Cc]ould ?n.t (connect|resolve)|timed? ?out|UNAVAILABLE|REQUEST_TIMEOUT|DEADLINE_EXCEEDED",
        "the object store cannot be reached; check the network, AWS_ENDPOINT_URL or the URI's endpoint_override",
    ),
)


def is_uri(text: str) -> bool:
    """Written with a scheme (``s3://bucket/key``), not as a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


@dataclass(frozen=True)
class RemoteFile:
    """A file's content, or where it is large its beginning; opens as a path does, prints as its URI.

    ``stamp`` is of its size and the time it was written.
    """

    uri: str
    content: bytes
    whole: bool
    stamp: str

    def open(self, mode: str = "r", encoding: str | None = None, newline: str | None = None) -> IO[Any]:
        """What :meth:`pathlib.Path.open` would give, for reading."""
        raw = io.BytesIO(self.content)
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding=encoding, newline=newline)

    def __str__(self) -> str:
        return self.uri


@dataclass(frozen=True)
class Bucket:
    """A URI taken apart: ``s3://bucket/a/*.csv?endpoint_override=localhost:9000&scheme=http``.

    The query says how the store is reached; a key is written as it is, without percent signs' codes. ``?`` is no wildcard here.
    """

    scheme: str
    path: str
    query: str

    @classmethod
    def of(cls, text: str) -> Bucket:
        """Take a URI apart.

        Raises:
            UsageError: an unknown scheme, no bucket, or a secret in it.
        """
        scheme, _, rest = text.partition("://")
        path, _, query = rest.partition("?")
        if scheme.lower() not in SCHEMES:
            raise UsageError(f"data {text!r}: unknown scheme {scheme!r}; allowed: a path, {', '.join(f'{name}://' for name in SCHEMES)}")
        if "@" in path.partition("/")[0] or re.search(r"(?i)secret|password|access_key", query):
            raise UsageError(f"data {scheme}://...: no secrets in a URI; give them in the environment (AWS_ACCESS_KEY_ID, ...)")
        if not path.partition("/")[0] or re.search(r"[*\[]", path.partition("/")[0]):
            raise UsageError(f"data {text!r}: no bucket is named; expected {scheme}://bucket/...")
        return cls(scheme.lower(), path.rstrip("/"), query)

    def uri(self, path: str) -> str:
        """The URI of a file in the same store."""
        return f"{self.scheme}://{path}" + (f"?{self.query}" if self.query else "")

    def __str__(self) -> str:
        return self.uri(self.path)

    def files(self, spans: int | None = 1) -> tuple[str, dict[str, str]]:
        """What it stands for: (the folder's path, relative name to path of each file).

        Args:
            spans: how many of the newest, where it has a number for them in it; None means all.

        Raises:
            UsageError: nothing is there, or the store does not answer.
        """
        return _bounded(f"data {str(self)!r}", lambda: self._files(spans))

    def read(self, path: str) -> RemoteFile:
        """A file of this store, whole where it is small.

        Raises:
            UsageError: it cannot be read.
        """
        return _bounded(self.uri(path), lambda: self._read(path))

    def stream(self) -> Any:
        """The file of this URI as an Arrow input stream.

        Raises:
            UsageError: it cannot be opened.
        """
        return _bounded(str(self), lambda: self._system().open_input_stream(self.path))

    def file(self) -> Any:
        """The file of this URI as an Arrow file that can be read at any place.

        Raises:
            UsageError: it cannot be opened.
        """
        return _bounded(str(self), lambda: self._system().open_input_file(self.path))

    def _files(self, spans: int | None) -> tuple[str, dict[str, str]]:
        from pyarrow import fs

        parts = self.path.split("/")
        magic = next((index for index, part in enumerate(parts) if re.search(r"[*\[]", part) or has_spans(part)), None)
        system = self._system()
        if magic is None and (only := system.get_file_info(self.path)).type == fs.FileType.File:
            return self.path.rpartition("/")[0], {only.base_name: self.path}
        base, pattern = ("/".join(parts[:magic]), "/".join(parts[magic:])) if magic is not None else (self.path, "")
        found = system.get_file_info(fs.FileSelector(base, recursive="/" in pattern or has_spans(pattern), allow_not_found=True))
        names = {info.path[len(base) + 1 :]: info.path for info in found if info.type == fs.FileType.File}
        fitting = _fitting(str(self), pattern, names, spans)
        if not fitting:
            raise UsageError(f"data {str(self)!r}: {self._missing(system, base, bool(found), repr(pattern) if pattern else _ROWS)}")
        return base, fitting

    def _missing(self, system: Any, base: str, something: bool, pattern: str) -> str:
        from pyarrow import fs

        bucket = base.partition("/")[0]
        if system.get_file_info(bucket).type == fs.FileType.NotFound:
            return f"there is no such bucket {bucket!r}"
        return f"no file fits {pattern} below {self.scheme}://{base}" if something or base == bucket else "there is no such file or folder"

    def _read(self, path: str) -> RemoteFile:
        system = self._system()
        info = system.get_file_info(path)
        if info.size is None:
            raise UsageError(f"{self.uri(path)}: there is no such file")
        whole = info.size <= WHOLE_BYTES
        with system.open_input_stream(path) as stream:
            content = stream.read() if whole else stream.read(_HEAD_BYTES)
        return RemoteFile(self.uri(path), content, whole, f"size {info.size} written {info.mtime_ns}")

    def _system(self) -> Any:
        from pyarrow import fs

        given = {name: values[-1] for name, values in urllib.parse.parse_qs(self.query).items()}
        if self.scheme == "gs":
            known = {name: given[name] for name in ("endpoint_override", "scheme") if name in given}
            return fs.GcsFileSystem(
                anonymous=given.get("anonymous") == "true", retry_time_limit=timedelta(seconds=_REQUEST_SECONDS), **known
            )
        endpoint = given.get("endpoint_override") or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        scheme, _, address = endpoint.rpartition("://")
        known = {"endpoint_override": address.rstrip("/")} if address else {}
        region = given.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region and not address:
            region = fs.resolve_s3_region(self.path.partition("/")[0])
        return fs.S3FileSystem(
            region=region or "us-east-1",
            scheme=given.get("scheme") or scheme or "https",
            anonymous=given.get("anonymous") == "true",
            connect_timeout=_CONNECT_SECONDS,
            request_timeout=_REQUEST_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
            **known,
        )


def _fitting(text: str, pattern: str, names: dict[str, str], spans: int | None) -> dict[str, str]:
    """Those of the files below a base that the pattern stands for. A pattern without one stands for the rows of a folder."""
    if not pattern:
        return {name: path for name, path in sorted(names.items()) if name.endswith(ROW_SUFFIXES) and not is_aside(name)}
    if not has_spans(pattern):
        wanted = pattern_of(pattern)
        return {
            name: path for name, path in sorted(names.items()) if wanted.fullmatch(name) and not is_aside(name.rpartition("/")[2], pattern)
        }
    check_spans(text)
    # A span may be a folder of files as well as a file.
    wanted = re.compile(f"{pattern_of(pattern).pattern}(?:/(?![._])[^/]*(?:{'|'.join(map(re.escape, ROW_SUFFIXES))}))?")
    matches = {name: match for name in names if (match := wanted.fullmatch(name))}
    return {name: names[name] for name in newest(matches, spans)}


def _bounded(what: str, work: Callable[[], _Result]) -> _Result:
    """Do it, and give up after a minute: the libraries below look for credentials and regions in places that may never answer."""
    done: concurrent.futures.Future[_Result] = concurrent.futures.Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            done.set_exception(error)

    threading.Thread(target=run, name="bucket", daemon=True).start()
    try:
        return done.result(timeout=_SECONDS)
    except concurrent.futures.TimeoutError as error:
        raise UsageError(f"{what}: the object store did not answer within {_SECONDS:g} s") from error
    except UsageError:
        raise
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())
        told = next((hint for pattern, hint in _HINTS if re.search(pattern, text)), None)
        if told is None and isinstance(error, FileNotFoundError):
            told = "there is no such file or bucket"
        raise UsageError(f"{what}: {told or text[:300]}") from error

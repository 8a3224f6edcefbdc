"""What a server counts while it works.

Kept by hand instead of by prometheus_client, which writes another text (``# HELP``, ``_total`` and ``_created`` names, no empty braces, a
value on a bucket's bound one bucket lower) and takes more than three times as long for a request's counter and
histogram (4.4 microseconds to 1.2).

A series is found by a dictionary look-up and changed under a lock of its own, so threads wait for each other only when they count the
same thing at the same time. Each worker process has one `Metrics`; `prometheus.merge` makes one page of several.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from serving.protocol.status import Code, State
from serving.server import metric_families as families
from serving.server.metric_families import VERSION_LABEL, Family
from serving.server.prometheus import FamilySnapshot, Point, Snapshot

# The value of the model's label for names that no configuration has: clients may send any number of those.
UNKNOWN_MODEL = "unknown"
# How many versions that are no longer loaded keep their series, for each model.
RETIRED_VERSIONS = 8
_OK = Code.OK  # looked up once: the enumeration answers in Python
_RUNTIME = "TF1"  # upstream's word for a SavedModel in a session


class Scalar:
    """One series of a counter or a gauge."""

    __slots__ = ("_lock", "_value")

    def __init__(self, _bounds: tuple[float, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._value = 0

    def add(self, amount: int = 1) -> None:
        """Add; a gauge takes negative amounts too."""
        with self._lock:
            self._value += amount

    def set(self, value: int) -> None:
        """Replace the value of a gauge."""
        with self._lock:
            self._value = value

    def point(self, labels: Iterable[str]) -> Point:
        """The series as a plain value."""
        return {"labels": list(labels), "value": self._value, "buckets": []}


class Histogram:
    """One series of a distribution. A value that equals a bound belongs to the next bucket, as in TensorFlow."""

    __slots__ = ("_bounds", "_buckets", "_lock", "_sum")

    def __init__(self, bounds: tuple[float, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._bounds = bounds
        self._buckets = [0] * (len(bounds) + 1)
        self._sum: float = 0.0

    def observe(self, value: float) -> None:
        """Count one value, in the unit of the bounds."""
        index = bisect_right(self._bounds, value)
        with self._lock:
            self._buckets[index] += 1
            self._sum += value

    def point(self, labels: Iterable[str]) -> Point:
        """The series as a plain value."""
        with self._lock:
            return {"labels": list(labels), "value": self._sum, "buckets": list(self._buckets)}


_Series = TypeVar("_Series", Scalar, Histogram)


class _Table(Generic[_Series]):
    """All series of a family, made on first use."""

    def __init__(self, family: Family, make: Callable[[tuple[float, ...]], _Series]) -> None:
        self.family = family
        self._make: Callable[[tuple[float, ...]], _Series] = make
        self._lock = threading.Lock()
        self._series: dict[tuple[str, ...], _Series] = {}

    def get(self, *labels: str) -> _Series:
        found = self._series.get(labels)
        if found is None:
            with self._lock:
                found = self._series.setdefault(labels, self._make(self.family.bounds))
        return found

    def drop(self, unwanted: Mapping[str, str], labels: tuple[str, ...]) -> None:
        """Forget the series whose ``labels`` have the values of ``unwanted``."""
        if not unwanted.keys() <= set(labels):
            return
        with self._lock:
            for values in [values for values in self._series if unwanted.items() <= dict(zip(labels, values, strict=True)).items()]:
                del self._series[values]

    def points(self) -> list[Point]:
        with self._lock:
            series = sorted(self._series.items())
        return [one.point(labels) for labels, one in series]


class RequestRecorder:
    """Counts the requests of one kind: one model, version, API and entry point. May be kept and used by many threads."""

    __slots__ = ("_counts", "_latency", "_make_count", "_make_latency", "_make_runtime", "_runtime")

    def __init__(self, metrics: Metrics, model: str, version: tuple[str, ...], api: str, entrypoint: str) -> None:
        # Series are made with their first value, as upstream: a page with a latency of nothing would say that something was answered.
        self._make_count: Callable[[Code], Scalar] = lambda code: metrics.scalar(families.REQUEST_COUNT).get(model, code.name, *version)
        latency, runtime = metrics.histogram(families.REQUEST_LATENCY), metrics.histogram(families.RUNTIME_LATENCY)
        spelled = api[:1].upper() + api[1:]
        self._make_latency: Callable[[], Histogram] = lambda: latency.get(model, api, entrypoint, *version)
        self._make_runtime: Callable[[], Histogram] = lambda: runtime.get(model, spelled, _RUNTIME, *version)
        self._counts: list[Scalar | None] = [None] * len(Code)  # by number: a dictionary would ask each code for its hash, in Python
        self._latency: Histogram | None = None
        self._runtime: Histogram | None = None

    def record(self, code: Code, microseconds: float) -> None:
        """Count one finished request; its latency too when it is OK."""
        count = self._counts[code]
        if count is None:
            count = self._counts[code] = self._make_count(code)
        count.add()
        if code is _OK:
            latency = self._latency
            if latency is None:
                latency = self._latency = self._make_latency()
            latency.observe(microseconds)

    def ran(self, microseconds: float) -> None:
        """Count the time that the runtime took for a request, the wait for a batch included."""
        runtime = self._runtime
        if runtime is None:
            runtime = self._runtime = self._make_runtime()
        runtime.observe(microseconds)


class Metrics:
    """All metrics of a process. Every method may be called from many threads.

    ``version`` is None where no version was found for a request: what a client asks for must not become a label. With ``strict`` there is
    no version label, no metric of ours, and a series for each name that a client ever sent, all as upstream.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._tables: dict[str, _Table[Any]] = {
            family.name: _Table(family, Histogram if family.kind == "histogram" else Scalar) for family in families.FAMILIES
        }
        self._models: frozenset[str] = frozenset()
        self._recorders: dict[tuple[str, int | None, str, str], RequestRecorder] = {}
        self._lock = threading.Lock()
        self._ended: dict[str, list[int]] = {}
        self._paths: dict[tuple[str, int], str] = {}

    def histogram(self, family: Family) -> _Table[Histogram]:
        """The series of a distribution."""
        return self._tables[family.name]

    def scalar(self, family: Family) -> _Table[Scalar]:
        """The series of a counter or gauge. In strict mode those of ours are kept, but never shown."""
        return self._tables[family.name]

    def set_models(self, names: Iterable[str]) -> None:
        """Say which models are configured; requests for others are counted under one name."""
        self._models = frozenset(names)

    def _model(self, name: str) -> str:
        return name if self.strict or not name or name in self._models else UNKNOWN_MODEL

    def _version(self, version: int | None) -> tuple[str, ...]:
        return () if self.strict else ("" if version is None else str(version),)

    def request(self, model: str, version: int | None, api: str, entrypoint: str) -> RequestRecorder:
        """Where the requests of one kind are counted.

        TF Serving's spelling: API ``Predict``, ``Classify``, ``Regress`` with entry point ``GRPC``; ``predict``, ... with ``REST``, and an
        empty API for REST requests of another kind. It counts no other gRPC method, and a malformed REST request under an empty model.
        """
        key = (model, version, api, entrypoint)
        found = self._recorders.get(key)
        if found is None:
            name = self._model(model)
            found = RequestRecorder(self, name, self._version(version), api, entrypoint)
            if name == model:
                self._recorders[key] = found
        return found

    def examples(self, model: str, version: int | None, count: int) -> None:
        """Count the examples of a classify, regress or multi-inference request."""
        labels = (self._model(model), *self._version(version))
        self.histogram(families.EXAMPLE_COUNTS).get(*labels).observe(count)
        self.scalar(families.EXAMPLE_COUNT_TOTAL).get(*labels).add(count)

    def logged(self, model: str, version: int | None, code: Code) -> None:
        """Count a request that was chosen for the prediction log, and what came of it."""
        self.scalar(families.REQUEST_LOG_COUNT).get(self._model(model), code.name, *self._version(version)).add()

    def loaded(self, path: str, ok: bool, microseconds: float) -> None:
        """Count one try to load a SavedModel."""
        self.scalar(families.LOAD_ATTEMPT_COUNT).get(path, "success" if ok else "fail").add()
        self.scalar(families.LOAD_LATENCY).get(path).add(round(microseconds))

    def warmed_up(self, path: str, code: Code, records: int, microseconds: float) -> None:
        """Count one warm-up from a file of requests."""
        self.histogram(families.WARMUP_LATENCY).get(path, code.name).observe(microseconds)
        self.scalar(families.WARMUP_RECORDS).get(path, code.name).add(records)

    def in_flight(self, entrypoint: str) -> Scalar:
        """The gauge of requests under way: ``add(1)`` when one comes, ``add(-1)`` when it goes."""
        return self.scalar(families.IN_FLIGHT).get(entrypoint)

    def build(self, version: str, tensorflow: str, python: str) -> None:
        """Say what this server is made of."""
        self.scalar(families.BUILD_INFO).get(version, tensorflow, python).set(1)

    def version_state(self, model: str, version: int, state: State, path: str = "") -> None:
        """Note a version's new state, by TF Serving's number. Of the versions that ended only the last few keep their series."""
        self.scalar(families.VERSION_STATE).get(model, str(version)).set(int(state))
        if self.strict:
            return
        with self._lock:
            if path:
                self._paths[model, version] = path
            ended = [one for one in self._ended.get(model, []) if one != version]
            if state is State.END:
                ended.append(version)
            gone, self._ended[model] = ended[:-RETIRED_VERSIONS], ended[-RETIRED_VERSIONS:]
        for one in gone:
            self._forget(model, one)

    def _forget(self, model: str, version: int) -> None:
        for key in list(self._recorders):
            if key[:2] == (model, version):
                self._recorders.pop(key, None)
        path = self._paths.pop((model, version), None)
        for table in self._tables.values():
            labels = self._labels(table.family)
            name = "model" if "model" in labels else "model_name"
            table.drop({name: model, VERSION_LABEL: str(version)}, labels)
            if path is not None:
                table.drop({"model_path": path}, labels)

    def _labels(self, family: Family) -> tuple[str, ...]:
        return (*family.labels, VERSION_LABEL) if family.versioned and not self.strict else family.labels

    def snapshot(self) -> Snapshot:
        """All of it as a plain value that JSON can carry, to be shown by `prometheus.render`."""
        shown: Snapshot = {}
        for table in self._tables.values():
            family, points = table.family, table.points()
            if (points or not family.lazy) and not (self.strict and family.ours):
                labels, bounds = list(self._labels(family)), list(family.bounds)
                shown[family.name] = FamilySnapshot(kind=family.kind, labels=labels, bounds=bounds, points=points)
        return shown

    def increase_since(self, before: Snapshot, names: Iterable[str], after: Snapshot | None = None) -> dict[str, int]:
        """By how much each named counter or gauge grew; 0 for a distribution and for a name that is none.

        ``before`` is an earlier snapshot; ``after`` a later one, also of several processes, and by default one of now. With ``strict`` only
        the first series of a metric counts, as upstream.
        """
        after = self.snapshot() if after is None else after
        return {name: self._total(after, name) - self._total(before, name) for name in names}

    def _total(self, snapshot: Snapshot, name: str) -> int:
        family = snapshot.get(name)
        if family is None or family["kind"] == "histogram":
            return 0
        points = family["points"][:1] if self.strict else family["points"]
        return int(sum(point["value"] for point in points))

"""The command that asks a served model: rows or photos in; a table, JSON lines or one JSON document out."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configs.errors import UsageError
from configs.paths import expanded
from serving.cli_frame import json_option, print_json, settings_options
from serving.errors import BadRequest, ModelNotFound, PredictError, Unavailable

if TYPE_CHECKING:
    from serving.clients.base import Array, Classes, PredictClient
    from serving.protocol.signature import SignatureSpec

_SIGNATURE = "predict"
_ROWS_BEGIN_WITH = ("@", "{", "[")
_TOP_CLASSES = 5
_BAR_WIDTH = 20
_SHOWN = 60
# What gRPC says of a port that answers in HTTP/1, and what HTTP/1 says of one that answers in gRPC's HTTP/2.
_ANSWERED_BY_HTTP = "http1.x server"
_ANSWERED_BY_GRPC = "illegal request line"


@dataclass(frozen=True)
class Question:
    """What is asked, of whom. One of ``rows`` and ``files`` is empty."""

    model: str
    transport: str
    address: str
    rows: Sequence[Mapping[str, Any]]
    files: Sequence[Path]
    signature: str | None
    version: int | None
    label: str | None
    timeout: float | None
    own: str | None
    """The use case as the person wrote it where it is the environment's server, which our other commands know about."""

    @property
    def choice(self) -> dict[str, Any]:
        """The version as the clients' calls take it."""
        return {"version": self.version} if self.label is None else {"version": self.version, "label": self.label}


@dataclass(frozen=True)
class Reply:
    """What came back. ``classes`` only where a person reads it: for each row or photo its classes by name."""

    signature: str
    version: int | None
    predictions: list[dict[str, Any]]
    classes: Sequence[Classes]


@click.command()
@click.argument("use_case")
@click.argument("rows", metavar="ROW", nargs=-1, required=True)
@settings_options
@click.option("--version", type=int, help="Ask this version; without it, the newest that is served.")
@click.option("--label", metavar="NAME", help="Ask the version with this label.")
@click.option("--signature", metavar="NAME", help=f"The signature to call; {_SIGNATURE} if not given, or serving_default.")
@click.option("--grpc", is_flag=True, help="Ask over gRPC.")
@click.option("--rest", is_flag=True, help="Ask over REST (the default, unless --address says otherwise).")
@click.option("--address", metavar="ADDRESS", help="Another server: host:port is gRPC, http(s)://host:port is REST.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="For each call; 30 if not given.")
@json_option
def predict(
    use_case: str,
    rows: tuple[str, ...],
    environment: str,
    overrides: tuple[str, ...],
    version: int | None,
    label: str | None,
    signature: str | None,
    grpc: bool,
    rest: bool,
    address: str | None,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Ask the server for a prediction. ROW is a JSON object, a list of them, @FILE with either, @FILE.csv, or the file of a photo.
    Several may be given.

    Columns that are left out are missing values. With --address, USE_CASE may be any model of that server.

    \b
    Example:
      sluiceway predict taxi '{"fare": 12.5, "trip_start_hour": 19, "payment_type": "Credit Card"}'
      sluiceway predict taxi @rows.csv --grpc
      sluiceway predict leaves photo.jpg --label stable
    """
    texts, files = _sort(rows)
    if version is not None and label is not None:
        raise UsageError(f"--version {version} and --label {label}: give one of them")
    if grpc and rest:
        raise UsageError("--grpc and --rest: give one of them")
    place = _place(use_case, environment, overrides, "grpc" if grpc else "rest" if rest else None, address)
    question = Question(*place, texts, files, signature, version, label, timeout, own=use_case if address is None else None)
    reply = ask(question, named=sys.stdout.isatty() and not as_json and signature is None)
    if as_json:
        shown = {"model": question.model, "version": reply.version, "signature": reply.signature, "predictions": reply.predictions}
        print_json(shown)
        return
    if sys.stdout.isatty():
        _print_tables(question, reply)
    else:
        for prediction in reply.predictions:
            # JSON has no NaN and no infinity: they are null.
            click.echo(json.dumps(json.loads(json.dumps(prediction), parse_constant=lambda _: None), ensure_ascii=False))
    by = f"v{reply.version}" if reply.version is not None else "a version that the server does not name"
    click.echo(f"answered by {question.model} {by} over {question.transport}", err=True)


def ask(question: Question, *, named: bool) -> Reply:
    """Ask; ``named``: photos are classified by name as well. Raises UsageError and PredictError, each with what to do next."""
    from serving.clients import load
    from serving.protocol.assertions import own_sentence

    try:
        with load(question.transport)(question.address) as client:
            return _ask(client, question, named)
    except Unavailable as error:
        raise Unavailable(_unavailable(question, str(error)), code=error.code) from error
    except BadRequest as error:
        raise BadRequest(own_sentence(str(error)), code=error.code) from error
    except ModelNotFound as error:
        if not question.own:
            raise
        raise ModelNotFound(f"{error}; what is published: sluiceway versions {question.own}", code=error.code) from error


def _unavailable(question: Question, told: str) -> str:
    host = question.address.partition("://")[2] or question.address
    if question.transport == "grpc" and _ANSWERED_BY_HTTP in told:
        return f"{host} speaks REST: ask it with --address http://{host}, or give the gRPC port (mostly 8500)"
    if question.transport == "rest" and _ANSWERED_BY_GRPC in told:
        return f"{host} speaks gRPC: ask it with --address {host} --grpc, or give the REST port (mostly 8501)"
    hint = f"start it: sluiceway serve {question.own}" if question.own else "see --address"
    return f"{told}; is it running? {hint}"


def _ask(client: PredictClient, question: Question, named: bool) -> Reply:
    from serving.clients.base import answered_by
    from serving.rows import answers_by_row, columns_from_files, columns_from_rows

    signatures = client.metadata(question.model, timeout=question.timeout, **question.choice)
    name = question.signature or (_SIGNATURE if _SIGNATURE in signatures else "serving_default")
    spec = signatures.get(name)
    if spec is None:
        raise UsageError(f"{question.model} has no signature {name!r}; it has: {', '.join(sorted(signatures)) or 'none'}")
    columns = columns_from_files(question.files, spec) if question.files else columns_from_rows(question.rows, spec)
    outputs = client.predict(question.model, columns, signature=name, timeout=question.timeout, **question.choice)
    version = answered_by(outputs) if question.version is None else question.version
    if version is None:
        version = answered_by(signatures) if question.label else _live(client, question)
    of_what = {"label", "probability"} <= outputs.keys()
    classes = _classes(client, question, signatures, columns) if named and (question.files or of_what) else ()
    return Reply(name, version, answers_by_row(outputs), classes)


def _live(client: PredictClient, question: Question) -> int | None:
    """The version that is live now; an answer that is there is not given up for it."""
    try:
        return client.live_version(question.model, timeout=question.timeout)
    except PredictError:
        return None


def _classes(
    client: PredictClient, question: Question, signatures: Mapping[str, SignatureSpec], columns: Mapping[str, Array]
) -> Sequence[Classes]:
    """The classes of each row or photo by name, which only `classify` knows. A model without it, or with other examples, has none."""
    from serving.protocol.signature import CLASSIFY_METHOD

    name = next((name for name, spec in signatures.items() if spec.method_name == CLASSIFY_METHOD), None)
    if name is None:
        return ()
    examples = [dict(zip(columns, row, strict=True)) for row in zip(*(column.tolist() for column in columns.values()), strict=True)]
    try:
        return client.classify(question.model, examples, signature=name, timeout=question.timeout, **question.choice)
    except PredictError:
        return ()


def _sort(arguments: Sequence[str]) -> tuple[list[Mapping[str, Any]], list[Path]]:
    """Rows and files among the arguments. Raises UsageError for both at once, and for what is neither."""
    from serving.rows import read_rows

    texts = [text for text in arguments if text.startswith(_ROWS_BEGIN_WITH) or (_is_json(text) and not _exists(text))]
    names = [text for text in arguments if text not in texts]
    if texts and names:
        raise UsageError(
            f"{names[0][:_SHOWN]} is a file and {texts[0][:_SHOWN]} is not: ask for photos or for rows; rows in a file are @FILE"
        )
    for name in names:
        if not _exists(name):
            shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
            raise UsageError(f"{shown}: no such file, and no JSON either; a row is like '{{\"fare\": 12.5}}', rows in a file are @FILE")
        if name.lower().endswith((".csv", ".json")):
            raise UsageError(f"{name}: rows in a file are given as @{name}")
    return [row for text in texts for row in read_rows(text)], [expanded(name) for name in names]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _exists(text: str) -> bool:
    try:
        return expanded(text).exists()
    except OSError:  # longer than any name
        return False


def _place(use_case: str, environment: str, overrides: tuple[str, ...], transport: str | None, address: str | None) -> tuple[str, str, str]:
    """(model, transport, address)."""
    from configs.load import load_settings
    from configs.places import is_path

    if address is not None:
        from serving.clients.options import transport_of

        if transport is None:
            transport = transport_of(address)
        elif transport == "grpc" and address.startswith(("http://", "https://")):
            raise UsageError(f"--address {address} is a REST address; for gRPC write host:port")
        # What the server calls it; only a use case in a folder of one's own has another name here.
        name = load_settings(use_case, environment, overrides).name if is_path(use_case) else use_case
        return name, transport, address
    settings = load_settings(use_case, environment, overrides)
    server = settings.environment.server
    if transport == "grpc":
        return settings.name, "grpc", f"{server.host}:{server.grpc_port}"
    return settings.name, "rest", f"http://{server.host}:{server.rest_port}"


def _print_tables(question: Question, reply: Reply) -> None:
    from rich.console import Console
    from rich.table import Table

    # What a model says is text, whatever it looks like.
    console = Console(highlight=False, markup=False, emoji=False)
    block = "█" if console.encoding.startswith("utf") else "#"
    if reply.classes and question.files:
        for path, classes in zip(question.files, reply.classes, strict=False):
            console.print(str(path), soft_wrap=True)
            table = Table(box=None, show_header=False)
            for label, score in sorted(classes, key=lambda item: -item[1])[:_TOP_CLASSES]:
                table.add_row(_cell(label), f"{score:.4f}", block * (round(score * _BAR_WIDTH) if math.isfinite(score) else 0))
            console.print(table)
        return
    table = Table()
    if question.files:
        table.add_column("file")
    for name in reply.predictions[0] if reply.predictions else ():
        table.add_column(_heading(name, reply))
    for number, prediction in enumerate(reply.predictions):
        file = [str(question.files[number])] if question.files else []
        table.add_row(*file, *(_cell(value) for value in prediction.values()))
    console.print(table)


def _heading(name: str, reply: Reply) -> str:
    """Of two classes a model gives the probability of one and the same, whichever it finds likelier: which, is said."""
    pairs = [dict(classes) for classes in reply.classes]
    given = [row[name] for row in reply.predictions]
    if name != "probability" or len(pairs) != len(given) or not all(isinstance(value, float) for value in given):
        return name
    if any(len(pair) != 2 for pair in pairs):
        return name
    for label in pairs[0]:
        if all(label in pair and math.isclose(pair[label], value, abs_tol=1e-6) for pair, value in zip(pairs, given, strict=True)):
            return f"{name} of {_cell(label)}"
    return name


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value[:_TOP_CLASSES]) + (", ..." if len(value) > _TOP_CLASSES else "")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))

"""Files out of a form, and the answer of the model that takes them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from serving.gateway.checks import Problem, Unfit
from serving.gateway.guard import Call
from serving.gateway.images import Upload, best_classes, check_whole, column_of, how_to_ask
from serving.gateway.model_api import Begun, under_way
from serving.gateway.state import Gateway
from serving.protocol.status import Code, StatusError
from serving.rows import answers_by_row

_MOST_FILES = 16
# One after the other: a photo takes a hundred times its size while it is decoded.
_DECODING = ThreadPoolExecutor(1, "decoding")


class _InMemory(MultiPartParser):
    """Keeps what is uploaded in memory, whose size the guard bounds: a photo of somebody has no business on a disk."""

    spool_max_size = max_file_size = 2**40  # by its name today, and in older versions


async def uploads_of(request: Request) -> list[Upload]:
    """The parts named file. Raises Unfit."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Unfit([Problem("content-type", "expected multipart/form-data with a part named file")])
    parser = _InMemory(request.headers, request.stream(), max_files=_MOST_FILES, max_fields=_MOST_FILES)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Unfit([Problem("file", error.message)]) from error
    except ValueError as error:  # a charset that nothing can be read in
        raise Unfit([Problem("content-type", "the form cannot be read")]) from error
    try:
        parts = form.getlist("file")
        if any(isinstance(part, str) for part in parts):
            raise Unfit([Problem("file", "is a text field; send it as a file: curl -F file=@leaf.jpg")])
        return [Upload(part.filename or "image", await part.read()) for part in parts if isinstance(part, UploadFile)]
    finally:
        await form.close()


async def answer_about(gateway: Gateway, known: Call, begun: Begun, uploads: list[Upload], signature: str | None) -> dict[str, Any]:
    """Ask the model about each file. Raises what `Calls.outputs` does, and Unfit for files that are damaged."""
    try:
        return await _ask_about(gateway, known, begun, uploads, signature)
    except StatusError as error:
        if error.code is Code.INVALID_ARGUMENT:
            # Only now, for decoding costs more than asking; it is part of this request to the model, and takes its room.
            async with begun.room.room():
                await asyncio.get_running_loop().run_in_executor(_DECODING, check_whole, uploads)
        raise


async def _ask_about(gateway: Gateway, known: Call, begun: Begun, uploads: list[Upload], signature: str | None) -> dict[str, Any]:
    asked, room, timeout = begun.asked, begun.room, begun.timeout
    upstream = gateway.upstream_of(asked.model)
    signatures = (await upstream.signatures(asked.model, asked.target, timeout)).signatures
    gateway.metrics.learn(asked.model)
    how = how_to_ask(signatures, signature)
    names = [upload.name for upload in uploads]
    with under_way(gateway, known, asked.model):
        if how.verb == "classify":
            examples = [{how.column: upload.content} for upload in uploads]
            rows, known.version = await gateway.calls.classes(asked, how.signature, examples, upstream, room, timeout)
            predictions = [{"file": name, "classes": best_classes(row)} for name, row in zip(names, rows, strict=True)]
        else:
            predicted = await gateway.calls.outputs(asked, how.signature, {how.column: column_of(uploads)}, upstream, room, timeout)
            known.version = predicted.version
            predictions = [{"file": name, **row} for name, row in zip(names, answers_by_row(predicted.outputs), strict=True)]
    return {
        "model": asked.model,
        "version": known.version,
        "signature": how.signature.name,
        "route": known.route,
        "predictions": predictions,
    }

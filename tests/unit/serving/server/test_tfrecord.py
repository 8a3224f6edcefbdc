"""TFRecord files, held against bytes that TensorFlow wrote and the texts it gave."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.protocol.status import Code, StatusError
from serving.server import tfrecord

# tf.io.TFRecordWriter, TensorFlow 2.16: b"hello", then b"world!".
WRITTEN_BY_TENSORFLOW = bytes.fromhex("0500000000000000eab2043e68656c6c6fbb1f1c1906000000000000007369d537776f726c64210ac6af4f")
HELLO = tfrecord.frame(b"hello")
WORLD = tfrecord.frame(b"world!")
ADVICE = ". Please verify your warmup data is in TFRecord format."


def read(path: Path, content: bytes, **options: bool) -> tuple[list[bytes], StatusError | None]:
    """What came out before the end or the error."""
    path.write_bytes(content)
    records: list[bytes] = []
    try:
        records.extend(tfrecord.read(path, **options))
    except StatusError as error:
        return records, error
    return records, None


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_what_is_written_is_read(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("records") / "x.tfrecord"
    assert tfrecord.write(path, iter(records)) == len(records)
    assert list(tfrecord.read(path)) == records
    path.unlink()


def test_a_record_is_framed_as_tensorflow_does_it():
    assert HELLO + WORLD == WRITTEN_BY_TENSORFLOW


@pytest.mark.parametrize(
    ("content", "complete", "text"),
    [
        (HELLO + WORLD[:-8], [b"hello"], "truncated record at 21' failed with Read less bytes than requested"),
        (HELLO + WORLD[:-2], [b"hello"], "truncated record at 21' failed with Read less bytes than requested"),
        (HELLO + WORLD[:12], [b"hello"], "truncated record at 21' failed with Read less bytes than requested"),
        (HELLO + WORLD[:3], [b"hello"], "truncated record at 21"),
        (HELLO + WORLD[:-6] + b"?" + WORLD[-5:], [b"hello"], "corrupted record at 33"),
        (HELLO + b"\x07" + WORLD[1:], [b"hello"], "corrupted record at 21"),
        (b"This is text and no record.", [], "corrupted record at 0 (Is this even a TFRecord file?)"),
    ],
)
def test_a_damaged_file_gives_its_good_records_and_then_data_loss(tmp_path, content, complete, text):
    path = tmp_path / "x"
    records, error = read(path, content)
    assert records == complete
    assert error is not None
    assert (error.code, error.message) == (Code.DATA_LOSS, f"{path}: {text}{ADVICE}")


def test_a_length_beyond_the_file_takes_no_memory(tmp_path):
    length = struct.pack("<Q", 2**62)
    _, error = read(tmp_path / "x", length + tfrecord.frame(length)[-4:])
    assert error is not None
    assert error.code is Code.DATA_LOSS


def test_strict_ends_quietly_in_a_cut_header_and_names_no_path(tmp_path):
    assert read(tmp_path / "x", HELLO + WORLD[:3], strict=True) == ([b"hello"], None)
    _, error = read(tmp_path / "x", b"This is text and no record.", strict=True)
    assert str(error) == f"corrupted record at 0 (Is this even a TFRecord file?){ADVICE}"


def test_an_empty_file_has_no_records(tmp_path):
    assert read(tmp_path / "x", b"") == ([], None)


@pytest.mark.parametrize(("name", "code"), [("missing", Code.NOT_FOUND), (".", Code.UNAVAILABLE)])
def test_a_file_that_cannot_be_read_is_a_status_that_names_it(tmp_path, name, code):
    with pytest.raises(StatusError, match=str(tmp_path)) as caught:
        list(tfrecord.read(tmp_path / name))
    assert caught.value.code is code

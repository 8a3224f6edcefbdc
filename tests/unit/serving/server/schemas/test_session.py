"""Session options: from flags by hand, from text with TensorFlow's own message."""

from __future__ import annotations

import pytest

from serving.protocol.status import StatusError
from serving.server.flag_table import Flags
from serving.server.schemas import pool, session


def config(serialized: bytes):
    """The bytes as TensorFlow reads them."""
    message = pool.new("tensorflow.ConfigProto")
    message.ParseFromString(serialized)
    return message


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (Flags(), ""),
        (Flags(tensorflow_session_parallelism=300), "intra_op_parallelism_threads: 300 inter_op_parallelism_threads: 300"),
        (Flags(tensorflow_session_parallelism=-1), "intra_op_parallelism_threads: -1 inter_op_parallelism_threads: -1"),
        (Flags(tensorflow_intra_op_parallelism=2), "intra_op_parallelism_threads: 2"),
        (Flags(tensorflow_inter_op_parallelism=3), "inter_op_parallelism_threads: 3"),
        (
            Flags(tensorflow_session_parallelism=9, tensorflow_intra_op_parallelism=2),
            "intra_op_parallelism_threads: 2",
        ),
        (Flags(per_process_gpu_memory_fraction=0.25), "gpu_options { per_process_gpu_memory_fraction: 0.25 }"),
        (Flags(mixed_precision="bfloat16"), "graph_options { rewrite_options { auto_mixed_precision_onednn_bfloat16: ON } }"),
    ],
)
def test_the_flags_are_the_config_that_tensorflow_reads(flags, text):
    assert session.from_flags(flags) == session.parse(text, "f")


def test_another_precision_is_said_to_have_no_effect(caplog):
    assert session.from_flags(Flags(mixed_precision="float8")) == b""
    assert "--mixed_precision=float8 has no effect" in caplog.text


def test_flags_override_the_file_and_leave_the_rest_of_it(tmp_path):
    (tmp_path / "f").write_text("intra_op_parallelism_threads: 1 gpu_options { allow_growth: true } inter_op_parallelism_threads: 5")
    flags = Flags(
        tensorflow_session_config_file=str(tmp_path / "f"), tensorflow_intra_op_parallelism=2, per_process_gpu_memory_fraction=0.5
    )
    found = config(session.from_file_and_flags(flags))
    assert (found.intra_op_parallelism_threads, found.inter_op_parallelism_threads) == (2, 5)
    assert (found.gpu_options.allow_growth, found.gpu_options.per_process_gpu_memory_fraction) == (True, 0.5)


def test_without_a_file_the_flags_are_all():
    assert session.from_file_and_flags(Flags(tensorflow_session_parallelism=1)) == session.from_flags(
        Flags(tensorflow_session_parallelism=1)
    )


def test_a_file_that_is_no_config_is_refused(tmp_path, caplog):
    (tmp_path / "f").write_text("threads: 1")
    with pytest.raises(StatusError, match="Invalid protobuf file"):
        session.read(str(tmp_path / "f"))
    assert "Error parsing text-format tensorflow.ConfigProto: 1:1:" in caplog.text

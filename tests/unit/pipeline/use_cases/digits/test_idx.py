"""MNIST's idx files become images, or one line says why not."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from PIL import Image

from configs.errors import UsageError
from pipeline.use_cases.digits.idx import read_idx, unpack, write

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([7, 0, 7], np.uint8)


def idx(values):
    return bytes((0, 0, 8, values.ndim)) + b"".join(size.to_bytes(4, "big") for size in values.shape) + values.tobytes()


@pytest.fixture
def folder(tmp_path):
    """One part packed, the other not, as people have them."""
    mnist = tmp_path / "mnist"
    mnist.mkdir()
    (mnist / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (mnist / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    (mnist / "t10k-images.idx3-ubyte").write_bytes(idx(IMAGES[:1]))
    (mnist / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS[:1]))
    return mnist


def test_every_image_is_a_file_in_its_digits_folder(folder, tmp_path):
    out = tmp_path / "out"
    assert unpack(folder, out) == 4
    assert sorted(path.relative_to(out).as_posix() for path in out.glob("*/*")) == [
        "0/train-00001.png",
        "7/t10k-00000.png",
        "7/train-00000.png",
        "7/train-00002.png",
    ]
    assert {path.name for path in out.iterdir()} == set("0123456789")
    with Image.open(out / "7" / "train-00002.png") as image:
        np.testing.assert_array_equal(np.asarray(image), IMAGES[2])


def test_values_have_the_shape_the_file_says(folder):
    np.testing.assert_array_equal(read_idx(folder / "train-images-idx3-ubyte.gz", 3), IMAGES)


@pytest.mark.parametrize(
    ("name", "content", "saying"),
    [
        pytest.param("train-images-idx3-ubyte.gz", b"no gzip", "cannot be read: Not a gzipped file", id="not-packed"),
        pytest.param("train-images-idx3-ubyte.gz", gzip.compress(idx(IMAGES))[:-9], "cannot be read", id="packed-and-cut-off"),
        pytest.param("t10k-images.idx3-ubyte", idx(IMAGES)[:-1], "says 3 x 4 x 5 and holds 59 values", id="cut-off"),
        pytest.param("t10k-images.idx3-ubyte", idx(LABELS), "not an idx file of unsigned bytes with 3 dimensions", id="labels"),
        pytest.param("t10k-images.idx3-ubyte", b"", "not an idx file", id="empty"),
        pytest.param("t10k-labels-idx1-ubyte", idx(LABELS), "t10k: 1 images and 3 labels", id="other-count"),
        pytest.param("t10k-labels-idx1-ubyte", idx(np.array([11], np.uint8)), "the label 11 is none of 0, 1", id="letters"),
        pytest.param("t10k-labels-idx1-ubyte", None, "there is no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz", id="missing"),
    ],
)
def test_a_broken_file_is_one_line_and_nothing_is_written(name, content, saying, folder, tmp_path):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        unpack(folder, tmp_path / "out")
    assert saying in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_breaks_off_leaves_nothing_and_can_be_tried_again(folder, tmp_path, error):
    def breaks_off():
        yield "train", IMAGES, LABELS
        assert not (tmp_path / "out").exists()
        raise error

    with pytest.raises(
        UsageError if isinstance(error, OSError) else KeyboardInterrupt, match="No space left on device" if error.args else None
    ):
        write(breaks_off(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == [folder]
    assert unpack(folder, tmp_path / "out") == 4
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
    assert {path.name for path in tmp_path.iterdir()} == {"mnist", "out"}


def test_a_folder_that_is_there_is_left_alone(folder, tmp_path):
    (tmp_path / "out" / "0").mkdir(parents=True)
    with pytest.raises(UsageError, match="is there already; name a new folder"):
        unpack(folder, tmp_path / "out")

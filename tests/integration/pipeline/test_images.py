"""Images inside the graph: any file becomes the same pixels everywhere, what is none is told, and nothing is lost on the way."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image


def written(picture: Image.Image, form: str = "PNG", **more: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, **more)
    return content.getvalue()


@pytest.fixture(scope="module")
def decode():
    """Files (None is missing) to pixels [batch, 8, 8, channels], through a graph as in a server."""
    import tensorflow as tf

    from pipeline.training.images import decoded

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 1], tf.string), tf.TensorSpec([], tf.bool)])
    def graph(column, grey):
        return tf.cond(grey, lambda: tf.repeat(decoded(column, 8, 8, 1), 3, axis=3), lambda: decoded(column, 8, 8, 3))

    def run(*files, channels=3):
        present = [(place, file) for place, file in enumerate(files) if file is not None]
        indices = np.array([[place, 0] for place, _ in present], np.int64).reshape(-1, 2)
        column = tf.SparseTensor(indices, tf.constant([file for _, file in present], tf.string), [len(files), 1])
        return graph(column, channels == 1).numpy()[..., :channels]

    return run


RED = (200, 40, 20)


@pytest.mark.parametrize(
    ("picture", "form", "more"),
    [
        pytest.param(Image.new("RGB", (8, 8), RED), "PNG", {}, id="png"),
        pytest.param(Image.new("RGB", (300, 17), RED), "JPEG", {"quality": 98}, id="jpeg"),
        pytest.param(Image.new("RGB", (300, 17), RED), "JPEG", {"progressive": True, "quality": 98}, id="progressive"),
        pytest.param(Image.new("RGB", (5, 90), RED).convert("CMYK"), "JPEG", {"quality": 98}, id="cmyk"),
        pytest.param(Image.new("RGB", (5, 90), RED).convert("P", palette=Image.Palette.ADAPTIVE), "PNG", {}, id="palette"),
        pytest.param(Image.new("RGB", (5, 90), RED).convert("P", palette=Image.Palette.ADAPTIVE), "GIF", {}, id="gif"),
        pytest.param(Image.new("RGBA", (1, 1), (*RED, 255)), "PNG", {}, id="opaque"),
        pytest.param(Image.new("RGB", (8, 8), RED), "BMP", {}, id="bmp"),
    ],
)
def test_a_file_of_any_form_and_size_is_its_colour(picture, form, more, decode):
    pixels = decode(written(picture, form, **more))
    assert pixels.shape == (1, 8, 8, 3)
    assert np.abs(pixels.astype(int) - RED).max() <= 4


def test_grey_files_are_grey_and_coloured_ones_become_it(decode):
    grey = decode(written(Image.new("L", (8, 8), 77)), written(Image.new("RGB", (8, 8), RED)), channels=1)
    assert grey.shape == (2, 8, 8, 1)
    assert (grey[0] == 77).all()
    assert (grey[1] == round(0.299 * 200 + 0.587 * 40 + 0.114 * 20)).all()
    assert (decode(written(Image.new("L", (8, 8), 77))) == 77).all()


def test_16_bits_become_8(decode):
    assert (decode(written(Image.fromarray(np.full((8, 8), 0x4D4D, np.uint16)))) == 0x4D).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_seen_over_black(mode, decode):
    white = (255,) * (len(mode) - 1)
    files = [written(Image.new(mode, (8, 8), (*white, opacity))) for opacity in (0, 128, 255)]
    assert [int(picture.mean()) for picture in decode(*files)] == [0, 128, 255]


def test_the_first_picture_of_an_animation_counts(decode):
    first, second = Image.new("L", (8, 8), 255), Image.new("L", (8, 8), 0)
    assert (decode(written(first, "GIF", save_all=True, append_images=[second])) > 250).all()


def test_shrinking_a_fine_pattern_gives_its_mean_and_not_its_accidents(decode):
    dust = np.random.default_rng(3).integers(0, 2, (512, 512)) * 255
    pixels = decode(written(Image.fromarray(dust.astype(np.uint8))), channels=1)
    assert np.abs(pixels.astype(int) - 128).max() <= 16


def test_pictures_of_a_batch_do_not_meet(decode):
    files = [written(Image.new("L", (9 + place, 30), place * 20)) for place in range(12)]
    assert [int(picture.max()) for picture in decode(*files)] == [place * 20 for place in range(12)]


def test_a_batch_of_none_is_none(decode):
    assert decode().shape == (0, 8, 8, 3)


PICTURE = written(Image.effect_noise((64, 64), 90), "JPEG")


@pytest.mark.parametrize(
    ("file", "saying"),
    [
        pytest.param(b"", "image 1 of the batch is empty or missing; send the bytes of a JPEG, PNG, GIF or BMP file", id="zero-bytes"),
        pytest.param(None, "image 1 of the batch is empty or missing", id="missing"),
        pytest.param(b"hello", "image 1 of the batch is not a JPEG, PNG, GIF or BMP file", id="text"),
        pytest.param(b"\0", "image 1 of the batch is not a JPEG, PNG, GIF or BMP file", id="a-zero"),
        pytest.param(PICTURE[:200], "JPEG", id="cut-off-jpeg"),
        pytest.param(written(Image.new("L", (64, 64)))[:60], "PNG", id="cut-off-png"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "PNG", id="a-head-alone"),
    ],
)
def test_what_is_no_image_is_told(file, saying, decode):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=saying):
        decode(PICTURE, file, PICTURE)


def test_pixels_are_the_same_after_packing():
    import tensorflow as tf

    from pipeline.training.images import Unpacked, packed, packed_size, quantised

    pixels = np.random.default_rng(3).integers(0, 256, (5, 8, 6, 3)).astype(np.uint8)
    small = packed(tf.constant(pixels))
    assert (small.shape, small.dtype) == ((5, packed_size(8, 6, 3)), tf.int64)
    unpacked = Unpacked((8, 6, 3))(small)
    np.testing.assert_allclose(unpacked, pixels / 255, atol=1e-6)
    np.testing.assert_array_equal(quantised(unpacked), pixels)


def test_pixels_that_fill_no_whole_number_are_an_error():
    from pipeline.training.images import packed_size

    with pytest.raises(ValueError, match="3 x 3 x 1 pixels are not a multiple of 8"):
        packed_size(3, 3, 1)

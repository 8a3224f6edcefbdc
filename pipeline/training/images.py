"""Images inside the graph: from the bytes of a file of any size to the pixels a model sees.

    bytes [batch] ──decoded──> uint8 [batch, height, width, channels] ──packed──> int64 [batch, n] ──Unpacked──> float32 in 0..1

Transformed pixels travel packed, eight to an int64: a tf.Example knows no bytes of numbers, and as floats they take four times the room.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

_PIXELS_A_NUMBER = 8
# How files of the formats that TensorFlow decodes begin.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")
# What a grey picture of a coloured one weighs (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)


def decoded(column: Any, height: int, width: int, channels: int) -> Any:
    """Image files as pixels of one size; in the graph a file that is none fails with a line that says which and why.

    Args:
        column: a raw column of bytes, sparse [batch, 0..1]: JPEG, PNG, GIF (its first picture) or BMP, any size, grey or colour. What is
            transparent is seen over black.
        channels: 1 for grey, 3 for red, green, blue.

    Returns:
        uint8 [batch, height, width, channels].
    """
    files = _checked(_dense(column))
    return tf.map_fn(
        lambda file: _picture(file, height, width, channels),
        files,
        fn_output_signature=tf.TensorSpec([height, width, channels], tf.uint8),
    )


def packed(pixels: Any) -> Any:
    """Pixels uint8 [batch, height, width, channels], a multiple of eight of them, as int64 [batch, packed_size(...)]."""
    size = packed_size(*pixels.shape[1:])
    return tf.bitcast(tf.reshape(pixels, [-1, size, _PIXELS_A_NUMBER]), tf.int64)


def packed_size(height: int, width: int, channels: int) -> int:
    """How many int64 hold an image's pixels. Raises ValueError when they do not fill the last one."""
    size, left = divmod(height * width * channels, _PIXELS_A_NUMBER)
    if left:
        raise ValueError(f"{height} x {width} x {channels} pixels are not a multiple of {_PIXELS_A_NUMBER}")
    return size


def quantised(images: Any) -> Any:
    """Pixels float32 in 0..1, beyond it at its edge, as uint8."""
    return tf.cast(tf.round(tf.clip_by_value(images, 0.0, 1.0) * 255.0), tf.uint8)


class Unpacked(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """Packed pixels int64 [batch, n] as float32 [batch, height, width, channels] in 0..1."""

    def __init__(self, shape: tuple[int, int, int], **more: Any) -> None:
        super().__init__(trainable=False, **more)
        self._shape = shape

    def call(self, inputs: Any) -> Any:
        pixels = tf.reshape(tf.bitcast(inputs, tf.uint8), [-1, *self._shape])
        return tf.cast(pixels, tf.float32) / 255.0


def _dense(column: Any) -> Any:
    """A sparse column [batch, 0..1] as a dense one [batch], empty where there is no value."""
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(shaped, ""), axis=1)


def _checked(files: Any) -> Any:
    known = tf.reduce_any([tf.equal(tf.strings.substr(files, 0, len(beginning)), beginning) for beginning in _BEGINNINGS], axis=0)
    with tf.control_dependencies(
        [
            _assert_all(
                tf.not_equal(files, ""), "image {} of the batch is empty or missing; send the bytes of a JPEG, PNG, GIF or BMP file"
            ),
            _assert_all(known | tf.equal(files, ""), "image {} of the batch is not a JPEG, PNG, GIF or BMP file"),
        ]
    ):
        return tf.identity(files)


def _assert_all(good: Any, message: str) -> Any:
    first = tf.reduce_min(tf.boolean_mask(tf.range(tf.size(good)), tf.logical_not(good)))
    return tf.debugging.Assert(tf.reduce_all(good), [tf.strings.format(message, first)])


def _picture(file: Any, height: int, width: int, channels: int) -> Any:
    # As many channels as the file has: JPEG has no transparency, and GIF knows no grey, so none can be asked of all.
    image = tf.cast(tf.io.decode_image(file, expand_animations=False), tf.float32)
    image.set_shape([None, None, None])
    depth = tf.shape(image)[2]
    transparent = 1 - depth % 2
    opacity = 1.0 - tf.cast(transparent, tf.float32) * (1.0 - image[:, :, -1:] / 255.0)
    colours = image[:, :, : depth - transparent] * opacity
    colours = tf.broadcast_to(colours, [tf.shape(image)[0], tf.shape(image)[1], 3])
    if channels == 1:
        colours = tf.tensordot(colours, tf.constant(_LUMA, shape=[3, 1]), axes=1)
    resized = tf.image.resize(colours, [height, width], antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), tf.uint8)

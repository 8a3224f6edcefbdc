"""What passes Pillow's look at a PNG does not end a run in TensorFlow's decoder."""

from __future__ import annotations

from components.example_gen.decode import fault
from tests.fakes.photos import picture


def test_a_png_that_passes_is_decoded_whatever_bit_of_it_is_wrong():
    import tensorflow as tf

    whole = picture(5, "PNG", size=(64, 64))
    damaged = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(len(whole))]
    cut = [whole[:length] for length in range(1, len(whole))]
    passed = [content for content in (whole, whole + b"something behind it", *damaged, *cut) if fault(content) is None]
    for content in passed:
        assert tf.io.decode_image(content, channels=3, expand_animations=False).shape == (64, 64, 3)
    assert len(passed) == 2

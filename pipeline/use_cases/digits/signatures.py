"""``predict_images``: the digits model asked with pixels instead of files, as many MNIST clients do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.training.export import ServedModel, Signature
from pipeline.training.images import packed, quantised
from pipeline.use_cases.digits.features import PIXELS, SHAPE

IMAGES = "images"


def added(served: ServedModel) -> dict[str, Signature]:
    """``predict_images``: ``images`` float32 [batch, 28, 28] in 0..1, white on black, to the outputs of ``predict``."""

    def predict_images(images: Any) -> Mapping[str, Any]:
        # Servers take other sizes than a signature names, and four pictures of 14x14 hold the numbers of one of 28x28.
        images = tf.ensure_shape(images, [None, *SHAPE[:2]])
        with tf.control_dependencies([_within(images)]):
            return served.outputs_of({PIXELS: packed(tf.reshape(quantised(images), [-1, *SHAPE]))})

    # A stroke, nothing, and everything.
    golden = np.zeros((3, *SHAPE[:2]), np.float32)
    golden[0, 4:24, 13:16] = 1.0
    golden[2] = 1.0
    return {
        "predict_images": Signature(predict_images, {IMAGES: tf.TensorSpec([None, *SHAPE[:2]], tf.float32, name=IMAGES)}, {IMAGES: golden})
    }


def _within(images: Any) -> Any:
    """Pixels of 0..255 are the usual mistake, and every answer to them would be wrong."""
    good = tf.reduce_all((images >= 0.0) & (images <= 1.0))
    return tf.debugging.Assert(good, ["images: pixels are numbers from 0 (black) to 1 (white); divide 0..255 by 255"])

"""The digits' columns and the size of what the model sees. No imports: data, model and preprocessing share these names."""

from __future__ import annotations

IMAGE, RAW_LABEL = "image", "label"
PIXELS, LABEL = "pixels", "digit"
# Height, width, channels: MNIST's.
SHAPE = (28, 28, 1)
CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
# What `hparams.model` may name.
MODELS = ("mlp", "cnn")

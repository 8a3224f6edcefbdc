"""The leaves' columns, their kinds and the size of what the model sees. No imports: data, model and preprocessing share these names."""

from __future__ import annotations

IMAGE, RAW_LABEL = "image", "label"
PIXELS, LABEL = "pixels", "kind"
# Height, width, channels.
SHAPE = (96, 96, 3)
# Kaggle's numbers 0..4: bacterial blight, brown streak disease, green mottle, mosaic disease, healthy.
CLASSES = ("cbb", "cbsd", "cgm", "cmd", "healthy")
# What `hparams.model` may name.
MODELS = ("cnn", "mobilenet")

"""A ready-made sentence encoder from TF Hub, or from a folder, as a frozen part of a Keras 3 model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from configs.errors import ConfigError
from configs.paths import expanded
from pipeline.use_cases.complaints.features import NARRATIVE
from pipeline.use_cases.complaints.handle import KEY, check_handle

# How modules of the older form name the signature and the output that count.
_SIGNATURES, _OUTPUTS = ("serving_default", "default"), ("default", "outputs")


class SentenceEncoder(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """A narrative in both its forms to vectors float32 [batch, width] of its text, by a SavedModel whose weights stay as they are.

    ``saved_resource`` is that SavedModel: the export takes its variables, tables and files along.
    """

    def __init__(self, handle: str, **more: Any) -> None:
        """``handle``: a folder that holds a SavedModel, or a name that TF Hub knows. Raises ConfigError when there is no encoder."""
        super().__init__(trainable=False, **more)
        # Texts have no place in XLA.
        self.supports_jit = False
        self.saved_resource = load_encoder(handle)
        self._encode = encoding(self.saved_resource, handle)
        self._width = _width(self._encode, handle)

    def call(self, narrative: Mapping[str, Any]) -> Any:
        """Encode."""
        return tf.ensure_shape(self._encode(narrative[NARRATIVE]), [None, self._width])

    def compute_output_spec(self, narrative: Mapping[str, Any]) -> Any:
        """Told, and not found out: Keras need not know what happens inside."""
        return keras.KerasTensor((narrative[NARRATIVE].shape[0], self._width), dtype="float32")


def load_encoder(handle: str) -> Any:
    """The SavedModel behind a handle.

    Raises:
        ConfigError: there is none, or it cannot be had here.
    """
    check_handle(handle)
    folder = expanded(handle)
    if not folder.is_dir():
        folder = _downloaded(handle)
    try:
        return tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ConfigError(f"{KEY}: {handle!r} cannot be loaded as a SavedModel: {_first_line(error)}") from error


def encoding(loaded: Any, handle: str) -> Callable[[Any], Any]:
    """What turns texts [batch] into vectors [batch, width]: the object itself where it can be called, else its signature.

    Raises:
        ConfigError: it has neither.
    """
    if callable(loaded):
        return lambda texts: _vectors(loaded(texts), handle)
    signature = next((loaded.signatures[name] for name in _SIGNATURES if name in loaded.signatures), None)
    if signature is None:
        raise ConfigError(f"{KEY}: {handle!r} cannot be called and has no signature {' or '.join(_SIGNATURES)}; give a text encoder")
    names = list(signature.structured_input_signature[1])
    if len(names) != 1:
        raise ConfigError(f"{KEY}: {handle!r} wants the inputs {', '.join(sorted(names))}; give an encoder of one text")
    return lambda texts: _vectors(signature(**{names[0]: texts}), handle)


def _vectors(outputs: Any, handle: str) -> Any:
    if not isinstance(outputs, dict):
        return outputs
    found = [outputs[name] for name in _OUTPUTS if name in outputs] or list(outputs.values())
    if len(found) != 1 and not any(name in outputs for name in _OUTPUTS):
        raise ConfigError(f"{KEY}: {handle!r} answers with {', '.join(sorted(outputs))}; give an encoder with one output")
    return found[0]


def _width(encode: Callable[[Any], Any], handle: str) -> int:
    """How long a vector is, seen on a text without a word, which must get one as well."""
    try:
        vectors = encode(tf.constant(["", "a complaint"]))
    except (TypeError, ValueError, tf.errors.OpError) as error:
        raise ConfigError(f"{KEY}: {handle!r} does not encode texts: {_first_line(error)}") from error
    if vectors.dtype != tf.float32 or len(vectors.shape) != 2 or vectors.shape[0] != 2:
        given = f"{vectors.dtype.name} {list(vectors.shape)}"
        raise ConfigError(f"{KEY}: {handle!r} gives {given} for two texts, not one float32 vector for each")
    return int(vectors.shape[1])


def _downloaded(handle: str) -> Path:
    """Where TF Hub's own client keeps a module; it downloads what it does not have."""
    try:
        import tensorflow_hub as hub
    except ImportError as error:
        missing = f"{handle!r} needs tensorflow-hub, which cannot be imported ({error})"
        raise ConfigError(f"{KEY}: {missing}; or give a folder with a SavedModel") from error
    try:
        return Path(hub.resolve(handle))
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        raise ConfigError(f"{KEY}: {handle!r} cannot be had here: {_first_line(error)}; or give a folder with a SavedModel") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

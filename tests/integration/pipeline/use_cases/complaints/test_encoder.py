"""A sentence encoder in a folder becomes part of the model that is published; one that cannot be had is one line."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from configs.errors import ConfigError
from pipeline.training.golden import columns_of, write_extras
from pipeline.training.inputs import serving_spec
from pipeline.training.names import PREDICT

WORDS = ("refuse", "thank", "satisfied")


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """A folder with a sentence encoder: a table with a file of words, and a vector for each; a text is the sum of its words' vectors."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("hub")
    vocabulary = folder / "words.txt"
    vocabulary.write_text("\n".join(WORDS) + "\n")

    class Encoder(tf.Module):
        def __init__(self):
            super().__init__()
            key, value = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
            lines = tf.lookup.TextFileInitializer(str(vocabulary), tf.string, key, tf.int64, value)
            self.table = tf.lookup.StaticHashTable(lines, default_value=-1)
            self.vectors = tf.Variable(np.arange(1, 1 + 2 * len(WORDS), dtype=np.float32).reshape(-1, 2))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            numbers = self.table.lookup(tf.strings.split(tf.strings.lower(texts)))
            known = tf.ragged.boolean_mask(numbers, numbers >= 0)
            return tf.reduce_sum(tf.gather(self.vectors, known), axis=1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="sentences")])
        def signature(self, sentences):
            return {"default": self(sentences), "length": tf.strings.length(sentences)}

    made = Encoder()
    tf.saved_model.save(made, str(folder / "called"), signatures=made.signature)

    class Signed(tf.Module):
        """What modules of the older form look like: no call, a signature alone."""

        def __init__(self):
            super().__init__()
            self.encoder = made

    signed = Signed()
    tf.saved_model.save(signed, str(folder / "signed"), signatures={"default": made.signature})
    two = tf.function(lambda a, b: {"x": a, "y": b}).get_concrete_function(
        tf.TensorSpec([None], tf.string, name="a"), tf.TensorSpec([None], tf.string, name="b")
    )
    tf.saved_model.save(tf.Module(), str(folder / "two"), signatures=two)
    lengths = tf.function(lambda texts: {"default": tf.strings.length(texts)}).get_concrete_function(tf.TensorSpec([None], tf.string))
    tf.saved_model.save(tf.Module(), str(folder / "lengths"), signatures=lengths)
    vocabulary.unlink()
    return folder


def hparams(use_case, handle, **more):
    return {**use_case.hparams, "encoder": "hub", "hub_handle": str(handle), "hidden_units": [8], **more}


@pytest.mark.parametrize("form", ["called", "signed"])
def test_a_text_becomes_the_vector_that_the_encoder_gives(form, module):
    import tensorflow as tf

    from pipeline.use_cases.complaints.encoder import SentenceEncoder

    layer = SentenceEncoder(str(module / form))
    vectors = layer({"narrative": tf.constant(["They REFUSE", "", "thank thank you"])})
    np.testing.assert_array_equal(vectors, [[1, 2], [0, 0], [6, 8]])
    assert layer.trainable_variables == []


def test_the_encoder_is_published_with_the_model_and_a_server_needs_nothing_else(transformed, use_case, module, tmp_path):
    import keras
    import tensorflow as tf

    from pipeline.training.export import ServedModel, save

    keras.utils.set_random_seed(1)
    copy = tmp_path / "encoder"
    (module / "called").rename(copy)
    try:
        model = use_case.load(use_case.build_model_name)(hparams(use_case, copy))
        served = ServedModel(model, transformed.graph, use_case)
        answers = save(served, str(tmp_path / "model"))
        rows = [{"narrative": text, "product": "Mortgage"} for text in ("They refuse", "thank you", "", None)]
        spec = serving_spec(transformed.graph, use_case.raw_label)
        columns = columns_of(rows, spec)
        write_extras(tmp_path / "model", use_case.golden_rows(), spec, answers, served)
        right = answers[PREDICT](**{name: tf.constant(value) for name, value in columns.items()})["probability"].numpy()
    finally:
        copy.rename(module / "called")
    # Loaded as TF Serving does: the graph of the serve tag, restored into a session of its own, its tables filled from its own files.
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path / "model"))
        found = loaded.signature_def[PREDICT]
        feed = {found.inputs[name].name: value for name, value in columns.items()}
        answer = session.run(found.outputs["probability"].name, feed)
    np.testing.assert_allclose(answer, right, rtol=1e-5)
    assert len(set(answer[:3].tolist())) == 3, "the encoder's answer reaches the model's"
    assert answer[2] == answer[3]


def test_a_model_with_an_encoder_trains_all_but_the_encoder(use_case, module):
    import tensorflow as tf

    model = use_case.load(use_case.build_model_name)(hparams(use_case, module / "called", learning_rate=0.05, dropout=0.0))
    texts = tf.constant(["they refuse", "thank you"] * 32)
    features = {
        name: texts if tensor.dtype == "string" else tf.zeros([64, *tensor.shape[1:]], tf.int64) for name, tensor in model.input.items()
    }
    labels = tf.constant([[1.0], [0.0]] * 32)
    before = model.evaluate(features, labels, verbose=0)[0]
    model.fit(tf.data.Dataset.from_tensor_slices((features, labels)).batch(8), epochs=5, verbose=0, shuffle=False)
    assert model.evaluate(features, labels, verbose=0)[0] < before / 2
    encoder = model.get_layer("sentence_encoder")
    np.testing.assert_array_equal(encoder({"narrative": tf.constant(["refuse"])}), [[1, 2]])


@pytest.mark.parametrize(
    ("handle", "saying"),
    [
        ("", "hparams.hub_handle: is empty; encoder hub needs a folder with a SavedModel"),
        ("no/such/folder", "'no/such/folder' is no folder here, and no address"),
        ("{module}", "cannot be loaded as a SavedModel"),
        ("{module}/two", "wants the inputs a, b; give an encoder of one text"),
        ("{module}/lengths", "gives int32 [2] for two texts, not one float32 vector for each"),
    ],
)
def test_an_encoder_that_cannot_be_had_is_one_line(handle, saying, use_case, module):
    with pytest.raises(ConfigError) as caught:
        use_case.load(use_case.build_model_name)(hparams(use_case, handle.format(module=module)))
    assert saying in str(caught.value)
    assert str(caught.value).startswith("hparams.hub_handle: ")
    assert len(str(caught.value).splitlines()) == 1


def test_an_address_without_the_package_tells_both_ways_out(use_case, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(ConfigError, match=r"needs tensorflow-hub, which cannot be imported .*; or give a folder with a SavedModel"):
        use_case.load(use_case.build_model_name)(hparams(use_case, "https://hub.example/encoder/4"))


def test_an_address_that_cannot_be_reached_is_one_line(use_case, monkeypatch):
    class Hub:
        @staticmethod
        def resolve(handle):
            raise OSError(f"no route to {handle}\nand much more")

    monkeypatch.setitem(sys.modules, "tensorflow_hub", Hub)
    with pytest.raises(ConfigError, match=r"cannot be had here: no route to \S+/4; or give a folder with a SavedModel$"):
        use_case.load(use_case.build_model_name)(hparams(use_case, "https://hub.example/encoder/4"))


def test_an_address_is_what_hubs_own_client_keeps_of_it(use_case, module, monkeypatch):
    class Hub:
        @staticmethod
        def resolve(handle):
            return str(module / "called") if handle == "https://hub.example/encoder/4" else None

    monkeypatch.setitem(sys.modules, "tensorflow_hub", Hub)
    model = use_case.load(use_case.build_model_name)(hparams(use_case, "https://hub.example/encoder/4"))
    assert model.get_layer("sentence_encoder").output.shape == (None, 2)

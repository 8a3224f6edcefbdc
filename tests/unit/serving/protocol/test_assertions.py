"""A failed assertion is told in the words of the model's author; every other text stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.protocol.assertions import own_sentence

# As a server on TensorFlow 2.15 sent them.
INSIDE = "{{function_node __inference_pruned_3563}} {{function_node __inference_pruned_3563}} "
NODE = "\n\t [[{{node Assert_1/Assert}}]]"
AFTER = NODE + "\n\t [[StatefulPartitionedCall_1/StatefulPartitionedCall/transform_features_layer/StatefulPartitionedCall]]"
PARTS = "[Condition x == y did not hold element-wise:] [x (x:0) = ] [1 2 4] [y (assert_equal_1/y:0) = ] [1 2 3]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{INSIDE}assertion failed: [image 0 of the batch is not a JPEG file]{AFTER}", "image 0 of the batch is not a JPEG file"),
        (f"{INSIDE}assertion failed: [image 0 is not a JPEG] {PARTS}{NODE}", "image 0 is not a JPEG"),
        (f"assertion failed: [only this [one]; x is] [1 2 4]{NODE}", "only this [one]; x is"),
        (f"assertion failed: [too big] [1 2 4...]{NODE} [Op:__inference_b_28]", "too big"),
        (rf"assertion failed: [isn\'t \"größer\" [1 2 4]]{NODE}", 'isn\'t "größer" [1 2 4]'),
        ("assertion failed: [too big]", "too big"),
        # In one line, as a command prints it.
        ("assertion failed: [too big] [[{{node Assert/Assert}}]]", "too big"),
    ],
)
def test_the_models_own_sentence_is_what_is_told(text, sentence):
    assert own_sentence(text) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Servable not found for request: Latest(lumpy)",
        "a [[1, 2]] and {{x}} of somebody else",
        "{{function_node __inference_1}}",
        # No sentence of the author's: all of it tells more than a part.
        f"assertion failed: {PARTS}",
        "assertion failed: [1 2 4] [this is wrong]",
        "assertion failed: []",
        "assertion failed: [cut off",
    ],
)
def test_a_text_of_another_form_stays_as_it_is(text):
    assert own_sentence(text) == text


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        (f"{INSIDE}jpeg::Uncompress failed. Invalid JPEG data.{AFTER}", "jpeg::Uncompress failed. Invalid JPEG data."),
        (f"{INSIDE}not finite : Tensor had NaN values{NODE}", "not finite : Tensor had NaN values"),
        ("In one line [[{{node a/b}}]]", "In one line"),
        (f"assertion failed: {PARTS}{NODE}", f"assertion failed: {PARTS}"),
    ],
)
def test_other_texts_lose_the_names_of_nodes(text, bare):
    assert own_sentence(text) == bare


@given(st.text())
def test_any_text_is_told(text):
    assert own_sentence(text) == text or "assertion failed" in text or "{{" in text

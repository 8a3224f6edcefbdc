"""The complaints preprocessing on a few rows, through Beam as in a run, and on rows that it never saw."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.training.golden import examples_of
from pipeline.training.inputs import serving_spec
from pipeline.use_cases.complaints.features import LABEL, NARRATIVE, NGRAM_VOCABULARY, NGRAMS, RAW_LABEL, max_ngrams, one_hot_depths


@pytest.fixture(scope="module")
def transform(transformed, use_case):
    """Features of raw rows, by the graph that a server runs."""
    import tensorflow as tf

    layer, spec = transformed.graph.transform_features_layer(), serving_spec(transformed.graph, use_case.raw_label)

    def of(*rows):
        outputs = layer(tf.io.parse_example(examples_of(rows, spec), spec))
        return {name: value.numpy() for name, value in outputs.items()}

    return of


def test_every_row_comes_out_with_every_feature(transformed):
    assert len(transformed.outputs) == len(transformed.rows)
    for output in transformed.outputs:
        assert set(output) == {NARRATIVE, NGRAMS, LABEL, *one_hot_depths()}
        assert output[NGRAMS].shape == (max_ngrams(),)


def test_every_number_is_within_its_vocabulary(transformed):
    for name, depth in {**one_hot_depths(), NGRAMS: NGRAM_VOCABULARY + 2}.items():
        values = np.array([output[name] for output in transformed.outputs])
        assert values.dtype == np.int64, name
        assert values.min() >= 0, name
        assert values.max() < depth, name


def test_no_feature_hides_the_words_that_slices_are_by(transformed, use_case):
    assert not {name for keys in use_case.slices for name in keys} & set(transformed.outputs[0])


def test_yes_is_a_dispute_however_it_is_written(transformed):
    for row, output in zip(transformed.rows, transformed.outputs, strict=True):
        assert output[LABEL] == float(row[RAW_LABEL] != "No")
    assert {float(output[LABEL]) for output in transformed.outputs} == {0.0, 1.0}


def test_nothing_what_was_learnt_and_what_was_never_seen_are_three_things(transform):
    products = transform({}, {"product": "Mortgage"}, {"product": "Credit card"}, {"product": "Teleportation"})["product_number"]
    assert products[0] == 0
    assert 0 < products[1] != products[2] > 0
    assert products[3] == one_hot_depths()["product_number"] - 1
    assert len(set(products.tolist())) == 4


def test_case_and_blanks_around_a_word_mean_nothing(transform):
    numbers = transform(*[{"product": word} for word in ("Credit card", "CREDIT CARD", " credit card\n")])["product_number"]
    assert len(set(numbers.tolist())) == 1


def test_a_zip_code_counts_by_its_first_three_digits(transform):
    codes = ["941XX", "94107-1234", " 94199", "941\n", "946XX", "N/A", "94", "XXXXX"]
    prefixes = transform(*[{"zip_code": code} for code in codes])["zip_prefix_number"].tolist()
    assert len(set(prefixes[:4])) == 1
    assert 0 < prefixes[0] < one_hot_depths()["zip_prefix_number"] - 1
    assert prefixes[4:] == [one_hot_depths()["zip_prefix_number"] - 1, 0, 0, 0]


def ngrams(transform, *texts):
    return [row[row > 0].tolist() for row in transform(*[{"narrative": text} for text in texts])[NGRAMS]]


def test_words_are_told_apart_by_letters_alone(transform):
    first, second, third = ngrams(transform, "They refuse to help", "THEY, refuse -- (to) help!!", "help they to refuse")
    assert first == second
    assert len(first) == 4 + 3
    assert sorted(first[:4]) == sorted(third[:4])
    assert first[4:] != third[4:], "the order of words is in the pairs"


def test_a_text_without_a_word_is_nothing(transform):
    assert ngrams(transform, "", " \n\t ... !? \U0001f620 ") == [[], []]


def test_a_word_of_another_script_is_a_word(transform):
    unknown = NGRAM_VOCABULARY + 1
    assert ngrams(transform, "ねこ", "señoría", "Re\u0301sume\u0301", "n'importe") == [[unknown]] * 4


def test_bytes_that_are_no_text_part_words(transform):
    assert ngrams(transform, b"refuse\xff\xfehelp") == ngrams(transform, "refuse help")


def test_of_a_long_text_the_beginning_counts(transform):
    long = "they refuse to help " * 60
    first, second = ngrams(transform, long, long + "nothing has been resolved " * 100_000)
    assert first == second
    assert len(first) == max_ngrams()


def test_the_text_itself_goes_on_for_an_encoder_that_reads_it(transform):
    assert transform({"narrative": "As It Was."}, {})[NARRATIVE].tolist() == [b"As It Was.", b""]

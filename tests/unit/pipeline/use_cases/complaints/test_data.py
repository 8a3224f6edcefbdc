"""The synthetic complaints are the same every time, carry a signal that words tell, and look like the public file."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_gen.source import check_source
from configs.load import load_settings
from pipeline.data import use_case_reading
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.complaints import data


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def drawn():
    return list(data.draw(data.ROWS))


def disputes(rows):
    return [each.row["consumer_disputed"] == "Yes" for each in rows]


def share(rows):
    return sum(disputes(rows)) / len(rows)


def test_they_are_drawn_the_same_every_time_and_otherwise_with_another_seed(drawn):
    assert list(data.draw(50)) == drawn[:50]
    assert list(data.draw(50, seed=1)) != drawn[:50]


def test_their_file_says_that_they_are_synthetic_and_fits_the_configuration():
    path = data.source()
    assert "synthetic" in path.name
    found = check_source(str(path), use_case_reading(get_use_case("complaints"), load_settings("complaints")))
    assert found.files == (path,)
    with path.open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == data.ROWS


def test_the_probability_they_are_drawn_with_is_the_best_there_is_and_not_perfect(drawn):
    ranked = [disputed for _, disputed in sorted(zip((each.probability for each in drawn), disputes(drawn), strict=True))]
    below, won = 0, 0
    for disputed in ranked:
        won += below if disputed else 0
        below += not disputed
    assert 0.84 < won / (below * sum(ranked)) < 0.89
    assert 0.25 < share(drawn) < 0.4


def test_words_and_answers_move_the_share_that_disputes(drawn):
    def with_words(words):
        return [each for each in drawn if re.search(words, each.row["narrative"])]

    assert share(with_words("furious|outrageous|refuse")) > share(drawn) + 0.2
    assert share(with_words("thank you|satisfied|grateful")) < share(drawn) - 0.15
    assert share([each for each in drawn if each.row["company_response"] == "Closed with monetary relief"]) < share(drawn) - 0.1


def test_every_product_has_rows_enough_to_be_judged_by_itself(drawn):
    counts = Counter(each.row["product"] for each in drawn)
    limit = load_settings("complaints").use_case.slices.min_examples
    assert len(counts) == 6
    # A third of the rows judges.
    assert min(counts.values()) / 3 > limit * 0.9


def test_values_are_missing_as_in_the_public_file(drawn):
    for name in ("narrative", "sub_product", "state", "zip_code"):
        empty = sum(not each.row[name] for each in drawn)
        assert 0 < empty < len(drawn) / 2, name
    assert any(not each.row["narrative"].isascii() for each in drawn)


def test_values_are_of_the_schemas_domains(drawn):
    schema = text_format.Parse(get_use_case("complaints").schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())
    domains = {feature.name: set(feature.string_domain.value) for feature in schema.feature if feature.HasField("string_domain")}
    assert {"product", "consumer_disputed", "timely_response"} <= set(domains)
    for name, allowed in domains.items():
        assert {each.row[name] for each in drawn} - {""} <= allowed, name


def test_no_placeholder_is_left_and_no_sentence_stands_twice(drawn):
    for each in drawn:
        text = each.row["narrative"]
        assert not re.search(r"\{[a-z]", text)
        sentences = re.split(r"(?<=[.]) ", text)
        assert len(set(sentences)) == len(sentences), text


def test_the_public_files_own_header_fits_with_all_that_it_has_more(tmp_path):
    """Its columns in its order, as the bureau publishes them."""
    public = [
        *("Date received", "Product", "Sub-product", "Issue", "Sub-issue", "Consumer complaint narrative", "Company public response"),
        *("Company", "State", "ZIP code", "Tags", "Consumer consent provided?", "Submitted via", "Date sent to company"),
        *("Company response to consumer", "Timely response?", "Consumer disputed?", "Complaint ID"),
    ]
    path = tmp_path / "complaints.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([public, ["Mortgage, \n'quoted'"] * len(public)])
    assert check_source(str(path), use_case_reading(get_use_case("complaints"), load_settings("complaints"))).files == (path,)

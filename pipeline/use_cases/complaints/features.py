"""The complaint columns by the way they are transformed. No imports: data, model and preprocessing share these names."""

from __future__ import annotations

NARRATIVE = "narrative"
# What the words encoder sees of a narrative: numbers of its single words and pairs of neighbours, zeros behind them.
NGRAMS = "narrative_ngrams"
# Of a longer text the first so many words count.
MAX_WORDS = 200
# So many single words and pairs are learnt, each seen in training at least so often.
NGRAM_VOCABULARY = 5000
NGRAM_FREQUENCY = 3

ZIP_CODE, ZIP_PREFIX = "zip_code", "zip_prefix"
# The public data hides the last digits of a code (941XX); the first three name a region.
ZIP_DIGITS = 3
# Words, by the size of the vocabulary learnt.
CATEGORIES = {
    "product": 25,
    "sub_product": 90,
    "issue": 180,
    "state": 65,
    "company_response": 10,
    "submitted_via": 8,
    "timely_response": 2,
    ZIP_PREFIX: 100,
}

RAW_LABEL = "consumer_disputed"
LABEL = "disputed"
DISPUTED = "yes"


def max_ngrams() -> int:
    """The width of ``narrative_ngrams``: every word and every pair of neighbours."""
    return 2 * MAX_WORDS - 1


def depth(vocabulary: int) -> int:
    """How many numbers a vocabulary takes: 0 is nothing there, then what was learnt, the last is what was never seen."""
    return vocabulary + 2


def numbered(category: str) -> str:
    """What a category is called once it is a number: slices of the evaluation are by its words, which keep their name."""
    return f"{category}_number"


def one_hot_depths() -> dict[str, int]:
    """The depth of each categorical feature after transformation."""
    return {numbered(name): depth(size) for name, size in CATEGORIES.items()}

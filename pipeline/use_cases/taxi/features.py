"""The taxi columns by the way they are transformed. No imports: data, model and preprocessing share these names."""

from __future__ import annotations

# Skewed amounts: logarithm, then z-score; a missing one is the mean.
AMOUNTS = ("fare", "trip_miles", "trip_seconds")
# Degrees: z-score; a missing place is the mean.
PLACES = ("pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude")
# Whole numbers with a known range (exclusive upper bound), one-hot.
CALENDAR = {"trip_start_hour": 24, "trip_start_day": 8, "trip_start_month": 13}
# Numbers that are names, with a known range; 0 stands for missing.
AREAS = {"pickup_community_area": 78, "dropoff_community_area": 78}
# Words, by the size of the vocabulary learnt; one more bucket takes what was never seen.
WORDS = {"payment_type": 10, "company": 100}

RAW_LABEL = "tips"
LABEL = "big_tip"
# A tip is big above this share of the fare.
BIG_TIP_SHARE = 0.2

NUMERIC = "numeric"


def numeric_width() -> int:
    """How many numbers the transformed ``numeric`` feature holds."""
    return len(AMOUNTS) + len(PLACES)


def one_hot_depths() -> dict[str, int]:
    """The depth of each categorical feature after transformation."""
    return {**CALENDAR, **AREAS, **{name: size + 1 for name, size in WORDS.items()}}

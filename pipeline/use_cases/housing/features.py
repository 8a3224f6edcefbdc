"""The housing columns by the way they are transformed. No imports: data, model and preprocessing share these names."""

from __future__ import annotations

# Rates with a long tail: logarithm, then z-score; a missing one is the mean.
SKEWED = ("CRIM", "ZN", "LSTAT")
# Numbers: z-score; a missing one is the mean.
NUMBERS = ("INDUS", "NOX", "RM", "AGE", "DIS", "TAX", "PTRATIO")
# Whole numbers, scaled like the others.
WHOLE = ("CHAS", "RAD")

# The order in the model's one input.
INPUTS = (*SKEWED, *NUMBERS, *WHOLE)
RAW_LABEL = "MEDV"
LABEL = "price"

NUMERIC = "numeric"
# A z-score beyond this is one no training row has: the answer then stays what it is at the edge.
FARTHEST = 5.0

"""The chopsticks columns by the way they are transformed. No imports: data, model and preprocessing share these names."""

from __future__ import annotations

# A person's number: a name and not an amount, by the size of the vocabulary learnt; one more place takes whoever was never seen.
INDIVIDUAL = "individual"
INDIVIDUALS = 256
# Millimetres, as z-score and its square, so that also a linear model can have a best length; cut to what somebody may hold.
CHOPSTICK_LENGTH = "chopstick_length"
SHORTEST, LONGEST = 100.0, 500.0

RAW_LABEL = "food_pinching_efficiency"
LABEL = "efficiency_class"
CLASSES = 3

LENGTH = "length"
# What `hparams.model` may name.
MODELS = ("linear", "net")

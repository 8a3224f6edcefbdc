"""Every knob, typed. Knows nothing of the packages above it."""

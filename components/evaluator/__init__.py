"""What the evaluation says of a candidate."""

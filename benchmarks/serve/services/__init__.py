"""What a user of each other product writes to serve a SavedModel; runs in that product's own environment."""

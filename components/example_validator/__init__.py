"""What the data says before anything is trained on it."""

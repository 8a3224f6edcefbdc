"""What runs, in which order, where and when."""

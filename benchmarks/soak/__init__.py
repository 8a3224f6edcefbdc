"""Does the model server's memory stay what it is: requests of every kind and version swaps, and its resident memory beside them."""

"""Whether a model server can serve the candidate, and answers as its trainer did."""

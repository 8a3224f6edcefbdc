"""Which version the candidate is to be held against."""

"""Going through possible duplicates: which, beside each other, and what is decided."""

"""Which profiles may be one person: Splink on DuckDB, over files, without Django's database.

Splink and DuckDB are imported inside functions: the web process never loads them.
docs/matching.md tells how it works, and how well.
"""

"""Customers out of a file: read it, map its columns, check it, import it, undo it."""

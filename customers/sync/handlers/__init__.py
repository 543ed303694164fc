"""Translators of each source's events; ``customers.apps`` imports them at start-up."""

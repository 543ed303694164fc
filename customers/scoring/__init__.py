"""The arithmetic of the scores: arrays in, arrays out, no database.

Imports numpy and scipy, so only workers may load it: services import it inside their functions.
"""

"""The arithmetic of segments by model: arrays in, arrays out, no database.

Imports numpy, so only workers may load it: services import it inside their functions.
"""

"""The data model's spelling of our names."""

from functools import cache


@cache
def camel_case(name: str) -> str:
    """``membership_tier`` as the data model writes it: ``membershipTier``."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)

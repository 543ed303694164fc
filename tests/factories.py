"""Rows for tests: plain functions with sensible defaults, made in the tenant in scope."""

import itertools

from customers.models import CustomerProfile

_numbers = itertools.count(1)


def make_customer(**values) -> CustomerProfile:
    number = next(_numbers)
    defaults = {
        "first_name": "Ann",
        "last_name": f"Lee {number}",
        "email": f"ann{number}@example.com",
    }
    return CustomerProfile.objects.create(**(defaults | values))

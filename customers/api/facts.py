"""Faults in what somebody said about a customer, as the API tells them."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import ErrorDetail, ValidationError

from customers.services.facts import FactError


@contextmanager
def faults_refused() -> Iterator[None]:
    """Facts that cannot be taken are the caller's fault: 400 with a path for each."""
    try:
        yield
    except FactError as error:
        raise ValidationError(
            {fault.path: [ErrorDetail(fault.message, fault.code)] for fault in error.faults}
        ) from error

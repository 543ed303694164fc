"""Signals of tenancy."""

from django.dispatch import Signal

# Sent inside the transaction and scope of a new tenant; carries `tenant`. Apps add what every
# tenant starts with, such as its system segments.
tenant_created = Signal()

"""Screens about customers."""

from customers.admin import activity, duplicate, note, palette, profile, sync_log

__all__ = ["activity", "duplicate", "note", "palette", "profile", "sync_log"]

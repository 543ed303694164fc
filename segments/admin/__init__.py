"""Screens about segments."""

from segments.admin import customer_panel, segment

__all__ = ["customer_panel", "segment"]

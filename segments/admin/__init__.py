"""Screens about segments."""

from segments.admin import customer_list, customer_panel, segment

__all__ = ["customer_list", "customer_panel", "segment"]

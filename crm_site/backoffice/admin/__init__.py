"""Screens of the foundation's own tables."""

from crm_site.backoffice.admin import audit, clubs, connections, installation, staff

__all__ = ["audit", "clubs", "connections", "installation", "staff"]

"""The admin site."""

from unfold.sites import UnfoldAdminSite


class CrmAdminSite(UnfoldAdminSite):
    """Fairway's back office."""

"""Journeys are looked at here."""

from journeys.admin import customer_panel
from journeys.admin.enrollment import JourneyEnrollmentAdmin
from journeys.admin.journey import JourneyAdmin

__all__ = ["JourneyAdmin", "JourneyEnrollmentAdmin", "customer_panel"]

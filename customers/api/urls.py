"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from customers.api import views
from customers.api.events import EventViewSet
from customers.api.imports import ImportViewSet
from customers.api.privacy import ExportViewSet
from customers.api.scans import DuplicateScanViewSet

router = SimpleRouter()
# Before customers, whose ids would match it.
router.register("customers/import", ImportViewSet, basename="import")
router.register("customers", views.CustomerViewSet, basename="customer")
router.register("activities", views.ActivityViewSet, basename="activity")
router.register("notes", views.NoteViewSet, basename="note")
router.register("duplicates/scan", DuplicateScanViewSet, basename="duplicate-scan")
router.register("duplicates", views.DuplicateViewSet, basename="duplicate")
router.register("sync-log", views.SyncLogViewSet, basename="sync-log")
router.register("exports", ExportViewSet, basename="export")
router.register("events", EventViewSet, basename="event")

urlpatterns = router.urls

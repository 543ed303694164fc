"""The foundation's own addresses under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from crm_site.api.audit_log import AuditLogViewSet
from crm_site.api.reader import ReaderView, SchemaView

router = SimpleRouter()
router.register("audit-log", AuditLogViewSet, basename="audit-log")

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", ReaderView.as_view(), name="api-docs"),
    *router.urls,
]

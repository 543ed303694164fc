"""The foundation's own addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from crm_site.api.audit_log import AuditLogViewSet

router = SimpleRouter()
router.register("audit-log", AuditLogViewSet, basename="audit-log")

urlpatterns = router.urls

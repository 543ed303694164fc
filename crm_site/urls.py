"""Every address. What lies behind /<tenant>/ is entered by TenantMiddleware, which strips it."""

from django.contrib import admin
from django.urls import include, path

from crm_site import health
from crm_site.api.reader import ReaderView
from crm_site.backoffice.views import choose_club
from customers.api.webhooks import webhook

api = [
    path("", include("crm_site.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("segments.api.urls")),
    path("", include("campaigns.api.urls")),
    path("", include("journeys.api.urls")),
    path("", include("social.api.urls")),
]

urlpatterns = [
    path("", choose_club, name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_page, name="metrics"),
    path("docs/", ReaderView.as_view(), name="docs"),
    path("webhooks/<str:endpoint_id>/", webhook),
]

handler400 = "crm_site.api.errors.bad_request"
handler403 = "crm_site.api.errors.permission_denied"
handler404 = "crm_site.api.errors.not_found"
handler500 = "crm_site.api.errors.server_error"

"""Every address. What lies behind /<tenant>/ is entered by TenantMiddleware, which strips it."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]

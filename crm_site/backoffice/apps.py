from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AppConfig):
    name = "crm_site.backoffice"
    label = "backoffice"
    verbose_name = "Back office"


class BackofficeAdminConfig(AdminConfig):
    default_site = "crm_site.backoffice.site.CrmAdminSite"

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "crm_site.tenancy"
    label = "tenancy"
    verbose_name = "Operations"

from django.apps import AppConfig


class DevstackConfig(AppConfig):
    name = "crm_site.devstack"
    label = "devstack"
    verbose_name = "One machine"

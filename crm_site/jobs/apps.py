from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "crm_site.jobs"
    label = "jobs"

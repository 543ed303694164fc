from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "crm_site.files"
    label = "files"

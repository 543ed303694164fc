from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    name = "crm_site.access"
    label = "access"
    verbose_name = "Operations"

    def ready(self) -> None:
        from crm_site.access.receivers import keep_role_groups

        post_migrate.connect(keep_role_groups, dispatch_uid="access.keep_role_groups")

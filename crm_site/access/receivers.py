"""Keeping role groups in step with the code."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission

from crm_site.access.roles import PERMISSIONS


def keep_role_groups(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """After every app has migrated, give each role's group exactly its permissions."""
    last_app = list(apps.get_app_configs())[-1]
    if sender.label != last_app.label:
        return
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role, wanted in PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.label)
        group.permissions.set([known[name] for name in sorted(wanted) if name in known])

"""The theme's system checks, without a database: they run before the first migrate, too."""

from typing import Any

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.core import checks
from unfold.checks import UnfoldModelAdminChecks


class ModelAdminChecks(UnfoldModelAdminChecks):
    def _check_unfold_action_permission_methods(self, obj: Any) -> list[checks.Error]:
        """Every permission that a button asks for is one that some model declares."""
        actions = [
            *obj._get_base_actions_list(),
            *obj._get_base_actions_detail(),
            *obj._get_base_actions_row(),
            *obj._get_base_actions_submit_line(),
        ]
        return [
            checks.Error(
                f"{obj.__class__.__name__}.{action.method.original_function_name} asks for "
                f"“{name}”, which nothing grants.",
                obj=obj.__class__,
                id="backoffice.E001",
            )
            for action in actions
            for name in getattr(action.method, "allowed_permissions", ())
            if not _is_known(obj, name)
        ]


def _is_known(model_admin: Any, name: str) -> bool:
    app_label, dot, codename = name.partition(".")
    if not dot:
        return hasattr(model_admin, f"has_{name}_permission")
    if app_label not in apps.app_configs:
        return False
    return any(
        codename == known
        for model in apps.get_app_config(app_label).get_models()
        for known in (
            *(
                get_permission_codename(verb, model._meta)
                for verb in model._meta.default_permissions
            ),
            *(code for code, _ in model._meta.permissions),
        )
    )

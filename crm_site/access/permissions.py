"""What an API caller may do: scopes for keys, permissions for staff."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm_site.access.models import ApiKey

VERBS = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PUT": "change",
         "PATCH": "change", "DELETE": "delete"}  # fmt: skip


class ScopeOrPermission(BasePermission):
    """A key needs the view's scope; a member of staff needs the model's permission.

    A view names ``scope`` ("customers"), or ``read_scope`` and ``write_scope`` where they are not
    ``<scope>:read`` and ``<scope>:write``; and for staff ``permission_model`` and, per action,
    ``action_permissions``.
    """

    message: str
    code: str

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if isinstance(request.auth, ApiKey):
            scope = self.needed_scope(request.method or "GET", view)
            self.message, self.code = f"This key lacks the scope {scope}.", "missing_scope"
            return scope in request.auth.scopes
        self.message, self.code = "Your role does not allow this.", "permission_denied"
        return bool(request.user.has_perm(self._needed_permission(request, view)))

    @staticmethod
    def needed_scope(method: str, view: Any) -> str:
        """The scope a key needs for this method and action of the view."""
        is_read = method in SAFE_METHODS or view.action in getattr(view, "read_actions", ())
        named = getattr(view, "read_scope" if is_read else "write_scope", None)
        return named or f"{view.scope}:{'read' if is_read else 'write'}"

    def _needed_permission(self, request: Request, view: Any) -> str:
        named = getattr(view, "action_permissions", {}).get(view.action)
        if named:
            return str(named)
        app, model = view.permission_model.split(".")
        is_read = view.action in getattr(view, "read_actions", ())
        verb = "view" if is_read else VERBS[request.method or "GET"]
        return f"{app}.{verb}_{model}"

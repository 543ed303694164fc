"""The API's own description, OpenAPI 3.1."""

from typing import Any

from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from crm_site.access.permissions import ScopeOrPermission
from crm_site.api.errors import CONTENT_TYPE
from crm_site.api.idempotency import HEADER
from crm_site.tenancy.context import tenant_scope

KEY, SESSION = "apiKey", "session"

# What may go wrong with a call, by status.
PROBLEMS = {
    "400": ("Invalid", "Something sent is not understood; `errors` says what, by path."),
    "401": ("NotAuthenticated", "No key, or one that is unknown, expired or revoked."),
    "403": ("Forbidden", "The key lacks a scope, or the role a permission; `detail` says which."),
    "404": ("NotFound", "There is nothing here; another tenant's object is nothing, too."),
    "409": ("Conflict", "A rule does not allow this now; `code` says which."),
    "413": ("TooLarge", "The body is larger than 5 MiB."),
    "429": ("TooManyRequests", "Over the limit of this key; `Retry-After` says for how long."),
    "503": ("Unavailable", "Away for a moment; nothing was changed. `Retry-After` says more."),
}
COMPONENTS = {
    "schemas": {
        "Problem": {
            "type": "object",
            "description": "Problem details, RFC 9457.",
            "required": ["type", "title", "status", "code", "detail"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "code": {"type": "string", "description": "For programs; stays the same."},
                "detail": {"type": "string", "description": "For people; may change."},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["path", "code", "message"],
                        "properties": {
                            "path": {"type": "string", "examples": ["tags[0]", "[3].email"]},
                            "code": {"type": "string", "examples": ["unknown_field"]},
                            "message": {"type": "string"},
                        },
                    },
                },
            },
        }
    },
    "responses": {
        name: {
            "description": description,
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for name, description in PROBLEMS.values()
    },
}


class ProblemSchema(AutoSchema):
    """Adds to each operation its scope, its errors and, on POST, the idempotency key."""

    def get_description(self) -> str:  # type: ignore[override]
        text = super().get_description() or ""
        scope = self._scope()
        return f"{text}\n\nNeeds the scope `{scope}`.".strip() if scope else text

    def get_auth(self) -> list[dict[str, list[str]]]:
        scope = self._scope()
        return [
            {name: [scope] if name == KEY and scope else roles for name, roles in auth.items()}
            for auth in super().get_auth()
        ]

    def _is_list_view(self, serializer: Any = None) -> bool:
        method = getattr(self.view, getattr(self.view, "action", None) or "", None)
        return getattr(method, "answers_page", False) or super()._is_list_view(serializer)

    def get_override_parameters(self) -> list[Any]:
        if self.method != "POST":
            return []
        text = "Repeat a request safely: within 24 hours the same key gets the first answer."
        return [OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description=text)]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        statuses = ["400", "401", "403", "429", "503"]
        statuses += ["404"] if "{" in self.path else []
        statuses += ["409"] if self.method != "GET" else []
        statuses += ["413"] if self.method in {"POST", "PUT", "PATCH"} else []
        for status in sorted(statuses):
            name, _ = PROBLEMS[status]
            bodies.setdefault(status, {"$ref": f"#/components/responses/{name}"})
        return bodies

    def _scope(self) -> str | None:
        if ScopeOrPermission not in self.view.permission_classes:
            return None
        return ScopeOrPermission.needed_scope(self.method, self.view)


class ScopedGenerator(SchemaGenerator):
    """Looks at querysets without running them: in a scope that holds no tenant's rows."""

    def get_schema(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        with tenant_scope("nobody"):
            return dict(super().get_schema(*args, **kwargs))


class FilterParameters(DjangoFilterExtension):
    """Describes filters by their own model, which for a list within is not the view's."""

    target_class = "crm_site.api.filters.TenantFilterBackend"
    priority = 1

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kw: Any) -> list[Any]:
        filterset_class = auto_schema.view.filterset_class
        if filterset_class is None:
            return []
        model = filterset_class._meta.model
        return [
            parameter
            for name, field in filterset_class.base_filters.items()
            for parameter in self.resolve_filter_field(
                auto_schema, model, filterset_class, name, field
            )
        ]


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "crm_site.access.authentication.ApiKeyAuthentication"
    name = KEY

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, `fw_…`. It belongs to one tenant and carries scopes.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "crm_site.access.authentication.TenantSessionAuthentication"
    name = SESSION

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "Staff's own session, under `/<tenant>/api/v1/`.",
        }


def null_is_a_value(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: "anything or null" is anything, as ``oneOf`` would refuse null."""
    waiting: list[Any] = [result]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if {} in item.get("oneOf", ()):
                del item["oneOf"]
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return result


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: the components that every operation's errors point at."""
    for kind, components in COMPONENTS.items():
        result["components"].setdefault(kind, {}).update(components)
    return result

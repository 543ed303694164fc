"""Serializer fields that take a value of the right JSON type or refuse it, and guess nothing."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from crm_site.tenancy.context import require_tenant_id


class TextField(serializers.CharField):
    """Text. A number is no text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class EmailField(TextField, serializers.EmailField):
    pass


class UrlField(TextField, serializers.URLField):
    pass


class BooleanField(serializers.BooleanField):
    """``true`` or ``false``, and none of the other ways to say so."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class IntegerField(serializers.IntegerField):
    """A whole JSON number."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class FloatField(serializers.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return float(super().to_internal_value(data))


class DecimalField(serializers.DecimalField):
    """A decimal, shown as text and taken as text or number, so that no digit is lost."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.UUIDField):
    """An id, as a text: a number would be read as one, too."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | UUID):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class TenantRelatedField(serializers.PrimaryKeyRelatedField):
    """The id of a row of the tenant in scope. Another tenant's is as unknown as any other."""

    default_error_messages = {
        "does_not_exist": "“{pk_value}” does not exist.",
        "incorrect_type": "This must be an id.",
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("pk_field", serializers.UUIDField())
        super().__init__(**kwargs)

    def get_queryset(self) -> Any:
        # ModelSerializer gives the default manager, which does not filter by itself.
        rows = super().get_queryset()
        return rows if rows is None else rows.filter(tenant_id=require_tenant_id())

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | UUID):
            self.fail("incorrect_type")
        return super().to_internal_value(data)

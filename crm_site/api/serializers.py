"""Bodies of the API: our rows under the data model's names."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.validators import UniqueValidator

from crm_site.api import fields
from crm_site.db.names import camel_case


class StrictSerializer(serializers.Serializer):
    """Refuses what it does not know or may not take, instead of passing over it."""

    # Names a caller may send although they are not theirs to say; what is sent is not read.
    ignored_fields: frozenset[str] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return super().to_internal_value(data)  # Refuses it in the usual words.
        refused = {name: self._refusal(name) for name in data if self._refusal(name)}
        given = {name: self._blank_to_null(name, data[name]) for name in data}
        try:
            values = super().to_internal_value(given)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **refused}) from error  # type: ignore[dict-item]
        if refused:
            raise serializers.ValidationError(refused)
        return values

    def _refusal(self, name: str) -> list[ErrorDetail] | None:
        if name in self.ignored_fields:
            return None
        field = self.fields.get(name)
        if field is None:
            return [ErrorDetail("There is no field of this name.", code="unknown_field")]
        if field.read_only:
            return [ErrorDetail("This field cannot be written.", code="read_only")]
        return None

    def _blank_to_null(self, name: str, value: Any) -> Any:
        """Optional text is null where it is absent, never "": unique keys skip nulls."""
        field = self.fields.get(name)
        return None if value == "" and field is not None and field.allow_null else value


class TenantModelSerializer(StrictSerializer, serializers.ModelSerializer):
    """A row of a tenant's table.

    ``Meta.fields`` and ``Meta.read_only_fields`` name the model's fields in Python; the JSON names
    follow from them (``membership_tier`` is ``membershipTier``, the key ``customer`` is
    ``customerId``). ``validated_data`` is back under the Python names. Unique keys are left to the
    services and the database: a look beforehand would prove nothing.
    """

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: fields.TextField,
        models.TextField: fields.TextField,
        models.EmailField: fields.EmailField,
        models.URLField: fields.UrlField,
        models.BooleanField: fields.BooleanField,
        models.IntegerField: fields.IntegerField,
        models.PositiveIntegerField: fields.IntegerField,
        models.PositiveSmallIntegerField: fields.IntegerField,
        models.FloatField: fields.FloatField,
        models.DecimalField: fields.DecimalField,
        ArrayField: serializers.ListField,
    }
    serializer_related_field = fields.TenantRelatedField

    def get_fields(self) -> dict[str, Any]:
        renamed = {}
        for name, field in super().get_fields().items():
            json_name = self._json_name(name)
            if json_name != name and field.source is None:
                field.source = name
            renamed[json_name] = field
        return renamed

    def _json_name(self, name: str) -> str:
        model: Any = self.Meta.model
        model_fields = {field.name: field.attname for field in model._meta.concrete_fields}
        return camel_case(model_fields.get(name, name))

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        kwargs["validators"] = _without_uniqueness(kwargs.get("validators", []))
        if not kwargs["validators"]:
            del kwargs["validators"]
        return field_class, kwargs

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        field_class, kwargs = super().build_relational_field(field_name, relation_info)
        if "validators" in kwargs:
            kwargs["validators"] = _without_uniqueness(kwargs["validators"])
        return field_class, kwargs

    def get_uniqueness_extra_kwargs(self, field_names: Any, declared: Any, extra: Any) -> Any:
        return extra, {}

    def get_validators(self) -> list[Any]:
        return list(getattr(self.Meta, "validators", []))


def _without_uniqueness(validators: list[Any]) -> list[Any]:
    return [v for v in validators if not isinstance(v, UniqueValidator)]

"""Filters of lists, by field name."""

from collections.abc import Collection
from typing import Any

import django_filters.rest_framework as django_filters
from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from crm_site.db.names import camel_case

RANGE = ["gte", "gt", "lte", "lt"]


class StrictBooleanFormField(forms.TypedChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("choices", None)
        super().__init__(
            choices=[("true", "true"), ("false", "false")],
            coerce=lambda value: value == "true",
            empty_value=None,
            **kwargs,
        )


class BooleanFilter(django_filters.BooleanFilter):
    """``true`` or ``false``; anything else is refused, where Django would pass over it."""

    field_class = StrictBooleanFormField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"widget": forms.Select, **kwargs})


class _RepeatedInput(forms.Widget):
    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name)


class RepeatedTextFormField(forms.CharField):
    """Every value of a parameter that may come several times."""

    widget = _RepeatedInput

    def clean(self, value: list[str]) -> list[str]:
        return [super(RepeatedTextFormField, self).clean(item) for item in value]


class TagsFilter(django_filters.CharFilter):
    """Rows whose array holds the value; repeat the parameter to ask for several at once."""

    field_class = RepeatedTextFormField

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__contains": value}) if value else qs


class TenantFilterSet(django_filters.FilterSet):
    """Filters under the data model's names, a lookup after two underscores.

    ``Meta.fields`` names model fields in Python, each with its lookups: ``{"created_at": ["gte"]}``
    becomes ``createdAt__gte``, the key ``customer`` becomes ``customerId``. A key is compared as an
    id and offers no choices, so nothing of another tenant can show through it.
    """

    FILTER_DEFAULTS = {
        **django_filters.FilterSet.FILTER_DEFAULTS,
        models.BooleanField: {"filter_class": BooleanFilter},
        ArrayField: {"filter_class": TagsFilter},
    }

    @classmethod
    def get_filter_name(cls, field_name: str, lookup_expr: str) -> str:
        field = cls._meta.model._meta.get_field(field_name)
        return str(super().get_filter_name(camel_case(field.attname), lookup_expr))

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: str | None = None) -> Any:
        if field.is_relation and lookup_expr == "exact":
            return django_filters.UUIDFilter(field_name=field.attname)
        return super().filter_for_field(field, field_name, lookup_expr)

    @classmethod
    def filter_for_lookup(cls, field: Any, lookup_type: str) -> Any:
        if lookup_type == "isnull":
            return BooleanFilter, {}
        if isinstance(field, ArrayField):
            return TagsFilter, {}
        return super().filter_for_lookup(field, lookup_type)


class TenantFilterBackend(django_filters.DjangoFilterBackend):
    """Filters a list, and refuses parameters that nobody knows or that come twice."""

    filterset_base = TenantFilterSet

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset_class = self.get_filterset_class(view, queryset)
        filters = filterset_class.base_filters if filterset_class else {}
        repeatable = {name for name, field in filters.items() if isinstance(field, TagsFilter)}
        known = {*filters, *getattr(view.paginator, "parameters", ())}
        refuse_parameters(request, known=known, repeatable=repeatable)
        return super().filter_queryset(request, queryset, view)


def refuse_parameters(
    request: Request, *, known: Collection[str], repeatable: Collection[str] = ()
) -> None:
    """Raise ValidationError for query parameters not ``known``, or given twice."""
    refused: dict[str, list[ErrorDetail]] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            text, code = "There is no parameter of this name.", "unknown_parameter"
        elif len(values) > 1 and name not in repeatable:
            text, code = "Give this parameter once.", "repeated_parameter"
        else:
            continue
        refused[name] = [ErrorDetail(text, code=code)]
    if refused:
        raise ValidationError(refused)

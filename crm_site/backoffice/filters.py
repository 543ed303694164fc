"""List filters that apps may use; choices come from the tenant in scope only."""

from django.contrib.admin import ModelAdmin
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    AutocompleteSelectMultipleFilter,
    BooleanRadioFilter,
    CheckboxFilter,
    ChoicesCheckboxFilter,
    ChoicesDropdownFilter,
    ChoicesRadioFilter,
    DropdownFilter,
    FieldTextFilter,
    MultipleChoicesDropdownFilter,
    RadioFilter,
    RangeDateFilter,
    RangeDateTimeFilter,
    RangeNumericFilter,
    SingleNumericFilter,
    TextFilter,
)
from unfold.contrib.filters.admin import RelatedDropdownFilter as _RelatedDropdownFilter

__all__ = [
    "AutocompleteSelectFilter",
    "AutocompleteSelectMultipleFilter",
    "BooleanRadioFilter",
    "CheckboxFilter",
    "ChoicesCheckboxFilter",
    "ChoicesDropdownFilter",
    "ChoicesRadioFilter",
    "DropdownFilter",
    "FieldTextFilter",
    "MultipleChoicesDropdownFilter",
    "RadioFilter",
    "RangeDateFilter",
    "RangeDateTimeFilter",
    "RangeNumericFilter",
    "RelatedDropdownFilter",
    "SingleNumericFilter",
    "TextFilter",
]


class RelatedDropdownFilter(_RelatedDropdownFilter):
    """A choice among related rows, for short lists (clubs). Long ones: AutocompleteSelectFilter."""

    def field_choices(
        self, field: RelatedField, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        rows = model_admin.get_field_queryset(None, field, request) or ()
        return [(str(row.pk), str(row)) for row in rows]

"""Form widgets in the theme's clothes, for forms that apps write themselves."""

from unfold.widgets import (
    UnfoldAdminAutocompleteModelChoiceFieldWidget as AutocompleteSelect,
)
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple,
)
from unfold.widgets import UnfoldAdminDecimalFieldWidget as DecimalInput
from unfold.widgets import UnfoldAdminEmailInputWidget as EmailInput
from unfold.widgets import UnfoldAdminIntegerFieldWidget as IntegerInput
from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioSelect
from unfold.widgets import UnfoldAdminSelectMultipleWidget as SelectMultiple
from unfold.widgets import UnfoldAdminSelectWidget as Select
from unfold.widgets import UnfoldAdminSingleDateWidget as DateInput
from unfold.widgets import UnfoldAdminSingleTimeWidget as TimeInput
from unfold.widgets import UnfoldAdminSplitDateTimeWidget as SplitDateTimeInput
from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
from unfold.widgets import UnfoldAdminURLInputWidget as URLInput
from unfold.widgets import UnfoldBooleanSwitchWidget as Switch
from unfold.widgets import UnfoldBooleanWidget as Checkbox

__all__ = [
    "AutocompleteSelect",
    "Checkbox",
    "CheckboxSelectMultiple",
    "DateInput",
    "DecimalInput",
    "EmailInput",
    "IntegerInput",
    "PasswordInput",
    "RadioSelect",
    "Select",
    "SelectMultiple",
    "SplitDateTimeInput",
    "Switch",
    "TextInput",
    "Textarea",
    "TimeInput",
    "URLInput",
]

"""Buttons on lists and pages.

The theme turns a plain action into a link, which any page elsewhere could make a browser follow.
So whatever writes is a ``dialog_action``: it shows a form, and acts only on its POST.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from unfold.decorators import action
from unfold.decorators import display as themed_display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from crm_site.errors import DomainError

__all__ = ["ActionVariant", "DialogForm", "action", "dialog_action", "display", "go_to"]


class _Colours(dict[Any, str]):
    """Colours of a label by its value; the plain one for a value that has none."""

    def __missing__(self, value: Any) -> None:
        return None


def display(*args: Any, label: Mapping[Any, str] | None = None, **kwargs: Any) -> Any:
    """The theme's decorator of a list's column. ``label``: a colour by value, shown as a pill.

    Of a pair (value, words) the theme shows the value where it has no colour; this one the words.
    """
    return themed_display(*args, label=None if label is None else _Colours(label), **kwargs)


class DialogForm(BaseDialogForm):
    """The form of a dialog; without fields of its own it only asks "are you sure".

    ``self.request`` and ``self.object_id`` (a string, unchecked) are there for fields that need
    them. Give fields the widgets of ``backoffice.widgets``.
    """

    def render_before_template(self) -> str:
        """The theme's dialog shows errors of fields only; these are of the whole."""
        errors = render_to_string("admin/dialog_errors.html", {"errors": self.non_field_errors()})
        return mark_safe(errors + super().render_before_template())  # noqa: S308 - both templates


DialogBody = Callable[[Any, HttpRequest, Any, Any], HttpResponse | str | None]


def dialog_action(
    *,
    title: str,
    permissions: Iterable[str],
    label: str = "",
    text: str = "",
    submit: str = "",
    form: type[DialogForm] = DialogForm,
    icon: str | None = None,
    variant: ActionVariant = ActionVariant.DEFAULT,
    url_path: str | None = None,
    attrs: dict[str, str] | None = None,
) -> Callable[[DialogBody], Any]:
    """A button for ``actions_detail``, ``actions_row`` or ``actions_list`` that opens a dialog.

    The method gets ``(self, request, form, obj)``: a valid form, and the object, found through
    the admin's own queryset (404 otherwise), or None in ``actions_list``. It calls a service and
    returns a sentence to show, or a response such as ``go_to(url)``. A DomainError takes back
    what was written and is shown in the dialog. ``permissions`` are names such as
    ``"customers.merge_customerprofile"``, or ``"change"`` for the admin's own rule, which is then
    asked about the object itself.
    """
    dialog = {
        "title": title,
        "description": text,
        "form_class": form,
        "form_submit_text": submit or label or title,
    }
    rules = tuple(permissions)

    def decorate(body: DialogBody) -> Any:
        def run(
            model_admin: Any, request: HttpRequest, valid: Any, object_id: str | None = None
        ) -> HttpResponse:
            obj = model_admin.get_object_or_404(request, object_id) if object_id else None
            model_admin.require(request, rules, obj)
            try:
                with transaction.atomic():
                    answer = body(model_admin, request, valid, obj)
            except DomainError as error:
                valid.add_error(error.path if error.path in valid.fields else None, error.message)
                context = {
                    "dialog": dialog,
                    "form": valid,
                    "form_submit_text": dialog["form_submit_text"],
                }
                return render(request, "unfold/helpers/dialog.html", context)
            if isinstance(answer, HttpResponse):
                return answer
            if answer:
                messages.success(request, answer)
            return go_to(_back(model_admin, request))

        run.__name__ = body.__name__
        run.__doc__ = body.__doc__
        return action(
            description=label or title,
            permissions=rules,
            icon=icon,
            variant=variant,
            url_path=url_path,
            attrs=attrs,
            dialog=dialog,
        )(run)

    return decorate


def go_to(url: str) -> HttpResponse:
    """Close the dialog and show another page."""
    return HttpResponse(headers={"HX-Redirect": url})


def _back(model_admin: Any, request: HttpRequest) -> str:
    """The page the dialog was opened on, without the tab: the same address with one is not fetched
    anew, so that nothing would seem to have happened."""
    here = request.headers.get("HX-Current-URL", "").partition("#")[0]
    root = request.build_absolute_uri("/")
    if here.startswith(root):
        return "/" + here.removeprefix(root)
    opts = model_admin.model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")

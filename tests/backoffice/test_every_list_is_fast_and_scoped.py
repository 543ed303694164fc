"""The rules for big lists and for writing buttons, asked of every registered screen."""

import inspect

import pytest
from django.contrib import admin
from django.core.paginator import Paginator

from crm_site.backoffice.options import (
    InfinitePaginator,
    PlainModelAdmin,
    TenantModelAdmin,
)
from crm_site.tenancy.base import TenantModel

ADMINS = list(admin.site._registry.items())
IDS = [model._meta.label for model, _ in ADMINS]
every_admin = pytest.mark.parametrize(("model", "screen"), ADMINS, ids=IDS)


@every_admin
def test_no_list_counts_everything(model, screen):
    assert isinstance(screen, PlainModelAdmin)
    assert screen.show_full_result_count is False
    assert screen.show_facets is admin.ShowFacets.NEVER
    assert screen.paginator is not Paginator
    assert screen.date_hierarchy is None
    assert screen.list_per_page <= 50
    assert screen.list_max_show_all == 0


@every_admin
def test_every_list_has_an_order_and_sorts_by_choice_only(model, screen):
    assert screen.ordering
    assert screen.sortable_by is not None or len(screen.list_display) <= 2


@every_admin
def test_tables_of_a_tenant_are_read_through_it(model, screen):
    if issubclass(model, TenantModel):
        assert isinstance(screen, TenantModelAdmin)
        assert not any(
            inline for inline in screen.inlines if not hasattr(inline, "get_field_queryset")
        )


@every_admin
def test_a_button_that_is_a_link_takes_no_part_in_writing(model, screen):
    """The theme runs an action without a dialog on GET; such a one may only lead elsewhere."""
    names = [
        *screen._extract_action_names(screen.actions_list),
        *screen._extract_action_names(screen.actions_detail),
        *screen._extract_action_names(screen.actions_row),
    ]
    for name in names:
        method = getattr(screen, name)
        if getattr(method, "dialog", None):
            continue
        source = inspect.getsource(inspect.unwrap(method))
        body = source[source.index("def ") :]
        assert "redirect(" in body or "HttpResponseRedirect(" in body, f"{name} is no mere link"
        assert "services" not in body


@every_admin
def test_sorted_out_lists_do_not_offer_to_select_ten_billion_rows(model, screen):
    if screen.paginator is InfinitePaginator:
        assert screen.list_disable_select_all

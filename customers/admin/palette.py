"""Customers in the command palette."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from crm_site.backoffice.search import HITS_EACH, Hit, provides_search
from customers.models import CustomerProfile
from customers.services.search import search_customers


@provides_search(permission="customers.view_customerprofile")
def find_customers(request: HttpRequest, term: str) -> Iterator[Hit]:
    ids = search_customers(term, limit=HITS_EACH)
    found = CustomerProfile.objects.defer("search_vector").in_bulk(ids)
    for customer in (found[pk] for pk in ids if pk in found):
        facts = (customer.membership_tier, customer.email, customer.phone_number)
        yield Hit(
            title=customer.name,
            description=" · ".join(fact for fact in facts if fact) or "Customer",
            link=reverse("admin:customers_customerprofile_change", args=[customer.pk]),
            icon="person",
        )

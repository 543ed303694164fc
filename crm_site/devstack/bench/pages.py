"""The pages staff open most, as a signed-in member of staff gets them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm_site.access.models import User
from crm_site.access.roles import Role
from crm_site.access.services import grant_membership
from crm_site.audit.actor import Actor
from crm_site.devstack.bench.dataset import TENANT, Size, customer_id
from crm_site.devstack.bench.measuring import Page, seconds
from crm_site.tenancy.context import tenant_scope

EMAIL = "bench@example.com"
LIST = f"/{TENANT}/admin/customers/customerprofile/"


def pages(size: Size, *, times: int) -> Iterator[Page]:
    """The list, searches and customer pages, ``times`` requests each."""
    step = max(1, size.customers // times)
    numbers = [1 + turn * step for turn in range(times)]
    emails = [f"{LIST}?q=player{number}@example.com" for number in numbers]
    customers = [f"{LIST}{customer_id(number)}/change/" for number in numbers]
    timelines = [f"{LIST}{customer_id(number)}/timeline/" for number in numbers]
    words = [f"{address}?words=tee+time" for address in timelines]
    with signed_in() as client:
        yield page_of(client, "Customer list", [LIST], times)
        yield page_of(client, "Customer list, one tier", [f"{LIST}?tier=Full"], times)
        yield page_of(client, "Search, an e-mail address", emails, times)
        yield page_of(client, "Search, a common name", [f"{LIST}?q=thandi+naidoo"], times)
        yield page_of(client, "Search, a beginning", [f"{LIST}?q=mkh"], times)
        yield page_of(client, "Customer page", customers, times)
        yield page_of(client, "Timeline, a page of it", timelines, times)
        yield page_of(client, "Timeline, searched by words", words, times)


def page_of(client: Client, name: str, addresses: list[str], times: int) -> Page:
    """One kind of page, asked for ``times`` times at ``addresses`` in turn."""
    _get(client, addresses[0])
    taken = []
    for turn in range(times):
        address = addresses[turn % len(addresses)]
        taken.append(seconds(lambda address=address: _get(client, address)) * 1000)  # type: ignore[misc]
    with CaptureQueriesContext(connection) as queries:
        _get(client, addresses[-1])
    return Page(name, taken, len(queries))


def _get(client: Client, address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}.")


@contextmanager
def signed_in() -> Iterator[Client]:
    """A member of staff who may see everything."""
    user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL)
    with tenant_scope(TENANT), transaction.atomic():
        grant_membership(user=user, role=Role.OWNER, actor=Actor.system("bench"))
    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    yield client

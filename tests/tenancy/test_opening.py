"""Opening a tenant."""

import pytest

from crm_site.tenancy.services import TenantError, create_tenant


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Africa/Johannesburg", "ZA"),
        ("Europe/London", "GB"),
        ("America/New_York", "US"),
        ("UTC", "ZA"),
    ],
)
def test_phones_are_read_by_the_country_of_its_time_zone(db, zone, country):
    opened = create_tenant(tenant_id="elm", name="Elm", time_zone=zone, currency="GBP")

    assert opened.country == country


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tenant_id": "Oak Hill"}, "id"),
        ({"tenant_id": "admin"}, "id"),
        ({"tenant_id": "oakhill"}, "id"),
        ({"tenant_id": "x" * 65}, "id"),
        ({"name": ""}, "name"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"currency": "rand"}, "currency"),
        ({"country": "South Africa"}, "country"),
    ],
)
def test_what_cannot_be_is_refused_by_field(tenant, values, field):
    good = {"tenant_id": "elm", "name": "Elm", "time_zone": "UTC", "currency": "GBP"}

    with pytest.raises(TenantError) as caught:
        create_tenant(**(good | values))

    assert caught.value.path == field

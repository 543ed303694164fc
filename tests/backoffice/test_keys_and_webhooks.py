from crm_site.access.models import ApiKey, WebhookEndpoint
from crm_site.access.services import create_webhook_endpoint, issue_api_key, resolve_api_key
from crm_site.tenancy.context import tenant_scope
from tests.conftest import ACTOR

KEYS = "/oakhill/admin/access/apikey/"
WEBHOOKS = "/oakhill/admin/access/webhookendpoint/"
SUBMIT = {"_form_submitted": "on"}


def make_key():
    return issue_api_key(name="Website", scopes=["customers:read"], actor=ACTOR)


def test_a_new_key_is_shown_once_and_works(as_ann, tenant):
    page = as_ann.post(f"{KEYS}add/", {"name": "Website", "scopes": ["customers:read"]})
    token = page.context["secrets"]["Key"]

    assert token in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert resolve_api_key(token).name == "Website"
    assert token not in as_ann.get(f"{KEYS}{ApiKey.objects.get().pk}/change/").content.decode()


def test_a_key_without_a_scope_or_already_expired_is_refused_at_its_field(as_ann):
    page = as_ann.post(
        f"{KEYS}add/",
        {"name": "Website", "expires_at_0": "01/01/2020", "expires_at_1": "10:00"},
    )

    assert set(page.context["adminform"].form.errors) == {"scopes", "expires_at"}
    assert not ApiKey.objects.exists()


def test_revoking_asks_first_and_acts_on_a_post_only(as_ann, tenant):
    key, token = make_key()

    asked = as_ann.get(f"{KEYS}{key.pk}/revoke/")
    assert "cannot be undone" in asked.content.decode()
    assert resolve_api_key(token) is not None

    done = as_ann.post(f"{KEYS}{key.pk}/revoke/", SUBMIT)
    assert done["HX-Redirect"]
    assert resolve_api_key(token) is None


def test_who_may_not_change_keys_can_neither_see_nor_revoke_one(as_ben, as_cleo, tenant):
    key, token = make_key()

    assert as_ben.post(f"{KEYS}{key.pk}/revoke/", SUBMIT).status_code == 403
    assert as_cleo.post(f"{KEYS}{key.pk}/revoke/", SUBMIT).status_code == 404
    assert (
        as_cleo.post(f"/pinecrest/admin/access/apikey/{key.pk}/revoke/", SUBMIT).status_code == 404
    )
    assert resolve_api_key(token) is not None


def test_a_new_webhook_shows_its_address_outside_any_club_and_its_secret(as_ann, tenant):
    page = as_ann.post(f"{WEBHOOKS}add/", {"source": "scl"})
    endpoint = WebhookEndpoint.objects.get()

    shown = page.context["secrets"]
    assert shown["Address"] == f"http://testserver/webhooks/{endpoint.pk}/"
    assert shown["Signing secret"] == endpoint.secret
    assert endpoint.secret not in as_ann.get(f"{WEBHOOKS}{endpoint.pk}/change/").content.decode()


def test_a_webhooks_secret_is_renewed_in_its_dialog(as_ann, tenant):
    endpoint, old = create_webhook_endpoint(source="scl", actor=ACTOR)

    dialog = as_ann.post(f"{WEBHOOKS}{endpoint.pk}/rotate/", SUBMIT)
    endpoint.refresh_from_db()

    assert endpoint.secret in dialog.content.decode()
    assert dialog["HX-Retarget"] == "#dialog"
    assert endpoint.previous_secret == old


def test_a_webhook_can_be_switched_off(as_ann, tenant):
    endpoint, _ = create_webhook_endpoint(source="scl", actor=ACTOR)

    as_ann.post(f"{WEBHOOKS}{endpoint.pk}/change/", {})
    endpoint.refresh_from_db()

    assert endpoint.is_active is False


def test_lists_hold_only_the_clubs_own(as_ann, tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        issue_api_key(name="Strange key", scopes=["customers:read"], actor=ACTOR)

    assert "Strange key" not in as_ann.get(KEYS).content.decode()

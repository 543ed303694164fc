"""Programs' ways in: API keys, and webhooks that other services call."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from crm_site.access.models import ApiKey, WebhookEndpoint
from crm_site.access.services import (
    SCOPES,
    SOURCES,
    create_webhook_endpoint,
    issue_api_key,
    revoke_api_key,
    rotate_webhook_secret,
)
from crm_site.audit.actor import Actor
from crm_site.backoffice import widgets
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ActionVariant, TenantModelAdmin, dialog_action, display
from crm_site.backoffice.people import names_of
from crm_site.backoffice.secrets import show_once, show_once_in_dialog

SOURCE_NAMES = {
    "scl": "SCL (memberships)",
    "teetime": "TeeTime (bookings)",
    "messaging": "Messaging (deliveries and consent)",
}


def _scope_in_words(scope: str) -> str:
    noun, _, verb = scope.partition(":")
    return f"{noun.capitalize()}: {'send in' if noun == 'events' else verb}"


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, _scope_in_words(scope)) for scope in sorted(SCOPES)],
        widget=widgets.CheckboxSelectMultiple,
        label="May",
        help_text="Tick as little as the program needs.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")
        help_texts = {
            "name": "The program that will use it, as in “Website booking form”.",
            "expires_at": "Blank: works until it is revoked.",
        }

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment and moment <= timezone.now():
            raise forms.ValidationError("This has passed already.")
        return moment


@admin.register(ApiKey)
class ApiKeyAdmin(TenantModelAdmin):
    form = ApiKeyForm
    list_display = ("name", "shown_prefix", "state", "may", "last_used")
    sortable_by = ("name",)
    ordering = ("name", "-created_at")
    search_fields = ("name", "prefix")
    fields = ("name", "scopes", "expires_at")
    readonly_fields = ()
    actions_detail = ("revoke",)
    empty_text = "A program that reads or writes through the API needs a key of its own."

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fields
        return ("name", "shown_prefix", "state_in_words", "may", "expires", "last_used", "made")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # A key is revoked and another issued; it never comes to mean something else.

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        key, token = issue_api_key(
            name=given["name"],
            scopes=given["scopes"],
            expires_at=given["expires_at"],
            actor=Actor.from_request(request),
        )
        obj.__dict__.update(key.__dict__)
        obj.token = token

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return show_once(
            request,
            self.admin_site,
            title=f"API key “{obj.name}”",
            text="Give this to the program. It sends it with every request, in the header "
            "Authorization: Bearer …",
            secrets={"Key": obj.token},
            next_url=reverse("admin:access_apikey_changelist"),
        )

    @dialog_action(
        title="Revoke this key",
        label="Revoke",
        text="The program that uses it is refused from now on. This cannot be undone; a new key "
        "can be issued at any time.",
        permissions=("access.change_apikey",),
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke(self, request: HttpRequest, form: Any, obj: ApiKey) -> str:
        revoke_api_key(key_id=obj.pk, actor=Actor.from_request(request))
        return f"The key “{obj.name}” is revoked."

    @display(description="Begins with")
    def shown_prefix(self, key: ApiKey) -> str:
        return format_html("<code>fw_{}_…</code>", key.prefix)

    @display(
        description="State", label={"works": "success", "revoked": "danger", "expired": "warning"}
    )
    def state(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked_at:
            return "revoked", "Revoked"
        return ("works", "Works") if key.is_usable() else ("expired", "Expired")

    @display(description="State")
    def state_in_words(self, key: ApiKey) -> str:
        _, word = self.state(key)
        return f"{word}, {exactly(key.revoked_at)}" if key.revoked_at else word

    @display(description="May")
    def may(self, key: ApiKey) -> str:
        return ", ".join(_scope_in_words(scope) for scope in key.scopes)

    @display(description="Last used")
    def last_used(self, key: ApiKey) -> str:
        return ago(key.last_used_at)

    @display(description="Expires")
    def expires(self, key: ApiKey) -> str:
        return exactly(key.expires_at) if key.expires_at else "Never"

    @display(description="Issued")
    def made(self, key: ApiKey) -> str:
        return f"{exactly(key.created_at)} by {names_of([key.created_by])[key.created_by]}"


class WebhookForm(forms.ModelForm):
    source = forms.ChoiceField(
        choices=[(source, SOURCE_NAMES[source]) for source in SOURCES],
        widget=widgets.RadioSelect,
        label="Service that will call",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("source",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantModelAdmin):
    list_display = ("service", "is_active", "address", "last_used")
    sortable_by = ()
    ordering = ("source", "-created_at")
    actions_detail = ("rotate",)
    empty_text = (
        "Services that sign their events (Standard Webhooks) need an address here: add one for "
        "each, and give them the address and the secret."
    )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = WebhookForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("source",)
        return ("service", "full_address", "is_active", "old_secret", "last_used", "made")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("service", "full_address", "old_secret", "last_used", "made") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        endpoint, secret = create_webhook_endpoint(
            source=form.cleaned_data["source"], actor=Actor.from_request(request)
        )
        obj.__dict__.update(endpoint.__dict__)
        obj.shown_secret = secret

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return show_once(
            request,
            self.admin_site,
            title=f"Webhook for {SOURCE_NAMES[obj.source]}",
            text="Enter both in the other service. It signs its events with the secret.",
            secrets={
                "Address": request.build_absolute_uri(_address(obj)),
                "Signing secret": obj.shown_secret,
            },
            next_url=reverse("admin:access_webhookendpoint_changelist"),
        )

    @dialog_action(
        title="Make a new signing secret",
        label="New secret",
        text="The present secret is accepted for 24 hours more, so that nothing is lost while you "
        "enter the new one in the other service.",
        permissions=("access.change_webhookendpoint",),
        icon="autorenew",
    )
    def rotate(self, request: HttpRequest, form: Any, obj: WebhookEndpoint) -> HttpResponse:
        secret = rotate_webhook_secret(endpoint_id=obj.pk, actor=Actor.from_request(request))
        return show_once_in_dialog(
            request,
            title="The new signing secret",
            text="Enter it in the other service within 24 hours.",
            secrets={"Signing secret": secret},
        )

    @display(description="From")
    def service(self, endpoint: WebhookEndpoint) -> str:
        return SOURCE_NAMES.get(endpoint.source, endpoint.source)

    @display(description="Address")
    def address(self, endpoint: WebhookEndpoint) -> str:
        return format_html("<code>{}</code>", _address(endpoint))

    full_address = address

    @display(description="Previous secret")
    def old_secret(self, endpoint: WebhookEndpoint) -> str:
        until = endpoint.previous_secret_until
        if until is None or until <= timezone.now():
            return "No longer accepted"
        return f"Accepted until {exactly(until)}"

    @display(description="Last event")
    def last_used(self, endpoint: WebhookEndpoint) -> str:
        return ago(endpoint.last_used_at)

    @display(description="Added")
    def made(self, endpoint: WebhookEndpoint) -> str:
        name = names_of([endpoint.created_by])[endpoint.created_by]
        return f"{exactly(endpoint.created_at)} by {name}"


def _address(endpoint: WebhookEndpoint) -> str:
    # Outside any club's prefix: the id alone tells whose it is.
    return f"/webhooks/{endpoint.pk}/"

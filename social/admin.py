"""What the club says on social platforms, and through which accounts. Tokens are never shown."""

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html

from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display
from crm_site.backoffice.people import names_of
from social.choices import SocialPostStatus
from social.models import SocialConnection, SocialPost

POST_COLOURS = {
    SocialPostStatus.PUBLISHED: "success",
    SocialPostStatus.SCHEDULED: "info",
    SocialPostStatus.FAILED: "danger",
    SocialPostStatus.PUBLISHING: "warning",
}
CONNECTION_COLOURS = {"works": "success", "failing": "danger", "expired": "warning", "off": "info"}


@admin.register(SocialPost)
class SocialPostAdmin(ReadOnlyTenantAdmin):
    list_display = ("text", "connection", "state", "when", "response")
    list_filter = (
        ("status", filters.ChoicesDropdownFilter),
        ("connection", filters.RelatedDropdownFilter),
    )
    list_select_related = ("connection",)
    ordering = ("-id",)  # Ids grow with time: the latest first along the primary key.
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("content", "hashtags", "link_url", "connection", "campaign")}),
        ("Publication", {"fields": ("status", "due", "published", "on_platform", "error")}),
        ("Response", {"fields": ("likes", "comments", "shares", "reach", "impressions")}),
    )
    readonly_fields = ("due", "published", "on_platform")
    empty_text = "Posts of the club's own pages and accounts appear here."

    @display(description="Post")
    def text(self, post: SocialPost) -> str:
        return post.content if len(post.content) <= 80 else f"{post.content[:80]}…"

    @display(description="State", label=POST_COLOURS)
    def state(self, post: SocialPost) -> tuple[str, str]:
        return post.status, post.get_status_display()

    @display(description="When")
    def when(self, post: SocialPost) -> str:
        return ago(post.published_at or post.scheduled_at)

    @display(description="Liked · commented · shared")
    def response(self, post: SocialPost) -> str:
        return f"{post.likes:,} · {post.comments:,} · {post.shares:,}"

    @display(description="Due")
    def due(self, post: SocialPost) -> str:
        return exactly(post.scheduled_at)

    @display(description="Published")
    def published(self, post: SocialPost) -> str:
        return exactly(post.published_at)

    @display(description="On the platform")
    def on_platform(self, post: SocialPost) -> str:
        if not post.platform_url:
            return "–"
        return format_html(
            '<a class="crm-link" href="{}" rel="noopener noreferrer">Open the post</a>',
            post.platform_url,
        )


@admin.register(SocialConnection)
class SocialConnectionAdmin(ReadOnlyTenantAdmin):
    list_display = ("account_name", "platform_name", "state", "club", "last_used")
    list_filter = (("platform", filters.ChoicesDropdownFilter),)
    list_select_related = ("club",)
    ordering = ("platform", "account_name", "id")
    sortable_by = ()
    fields = ("account_name", "platform", "account_type", "club", "state_in_words", "expires",
              "last_used", "problem", "connected")  # fmt: skip
    readonly_fields = ("state_in_words", "expires", "last_used", "problem", "connected")
    empty_text = "Pages and accounts that Fairway may post to appear here."

    @display(description="Platform")
    def platform_name(self, connection: SocialConnection) -> str:
        return connection.get_platform_display()

    @display(description="State", label=CONNECTION_COLOURS)
    def state(self, connection: SocialConnection) -> tuple[str, str]:
        if not connection.is_active:
            return "off", "Switched off"
        if connection.token_expiry and connection.token_expiry <= timezone.now():
            return "expired", "Permission has run out"
        return ("failing", "Last post failed") if connection.last_error else ("works", "Works")

    @display(description="State")
    def state_in_words(self, connection: SocialConnection) -> str:
        return self.state(connection)[1]

    @display(description="Permission until")
    def expires(self, connection: SocialConnection) -> str:
        return exactly(connection.token_expiry)

    @display(description="Last used")
    def last_used(self, connection: SocialConnection) -> str:
        return ago(connection.last_used_at)

    @display(description="Last problem")
    def problem(self, connection: SocialConnection) -> str:
        return connection.last_error or "None"

    @display(description="Connected by")
    def connected(self, connection: SocialConnection) -> str:
        return names_of([connection.connected_by])[connection.connected_by]

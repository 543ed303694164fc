"""Whom a campaign is for: who is in any of its segments, and in none of those it leaves out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.choices import SegmentRole
from campaigns.models import Campaign, CampaignSegment
from crm_site.errors import DomainError
from crm_site.tenancy.context import require_tenant_id
from segments.models import CustomerSegment, CustomerSegmentMembership

_MEMBERS = "segments_customersegmentmembership"


class CrowdError(DomainError):
    """These segments do not make an audience."""

    code = "invalid"


@dataclass(frozen=True)
class Crowd:
    """The members of any of ``included`` who are in none of ``excluded`` (ids of segments)."""

    included: tuple[UUID, ...]
    excluded: tuple[UUID, ...] = ()

    @classmethod
    def of(cls, campaign: Campaign) -> "Crowd":
        further: dict[str, list[UUID]] = {role: [] for role in SegmentRole.values}
        for role, segment_id in campaign.segment_links.values_list("role", "segment_id"):
            further[role].append(segment_id)
        first = [campaign.segment_id] if campaign.segment_id else []
        return cls(
            included=tuple(first + sorted(further[SegmentRole.INCLUDE])),
            excluded=tuple(sorted(further[SegmentRole.EXCLUDE])),
        )

    def members(self, names: str = "") -> str:
        """SQL for their ids, each once, as ``customer_id``; its values are ``values(names)``.

        ``names`` comes before the names of the values, where a statement asks for several crowds.
        """
        # One segment holds nobody twice, and a million need not be sorted to know that.
        what = "m.customer_id" if len(self.included) == 1 else "DISTINCT m.customer_id"
        left_out = (
            f" AND NOT EXISTS (SELECT FROM {_MEMBERS} x "
            f"WHERE x.tenant_id = %(tenant)s AND x.segment_id = ANY(%({names}excluded)s::uuid[]) "
            "AND x.customer_id = m.customer_id)"
        )
        return (
            f"SELECT {what} FROM {_MEMBERS} m WHERE m.tenant_id = %(tenant)s "  # noqa: S608 - our own names
            f"AND m.segment_id = ANY(%({names}included)s::uuid[])"
            + (left_out if self.excluded else "")
        )

    def values(self, names: str = "") -> dict[str, Any]:
        return {
            "tenant": require_tenant_id(),
            f"{names}included": list(self.included),
            f"{names}excluded": list(self.excluded),
        }

    def page(self, *, after: UUID | None, limit: int) -> list[UUID]:
        """Some of them by id, after the last of the page before."""
        statement = (
            f"SELECT customer_id FROM ({self.members()}) m "  # noqa: S608 - as above
            "WHERE %(after)s::uuid IS NULL OR customer_id > %(after)s::uuid "
            "ORDER BY customer_id LIMIT %(limit)s"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, self.values() | {"after": after, "limit": limit})
            return [customer_id for (customer_id,) in cursor.fetchall()]

    def count(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({self.members()}) m", self.values())  # noqa: S608 - as above
            return int(cursor.fetchone()[0])


def among(campaign: Campaign, customer_ids: Collection[UUID]) -> set[UUID]:
    """Which of these customers the campaign is for; without a segment, all but the left out."""
    crowd = Crowd.of(campaign)
    rows = CustomerSegmentMembership.objects.filter(customer__in=customer_ids)
    found = set(customer_ids)
    members = rows.values_list("customer_id", flat=True)
    if crowd.included:
        found = set(members.filter(segment__in=crowd.included))
    return found - set(members.filter(segment__in=crowd.excluded))


def segments_of(campaign: Campaign, role: str) -> list[CustomerSegment]:
    """The further segments that are included, or left out, by name."""
    return [
        link.segment
        for link in sorted(campaign.segment_links.all(), key=lambda link: link.segment.name)
        if link.role == role
    ]


def set_segments(
    campaign: Campaign, *, role: SegmentRole, segments: Iterable[CustomerSegment]
) -> bool:
    """Include, or leave out, exactly these beside the first. Returns whether that was a change."""
    wanted = {segment.pk for segment in segments}
    links = campaign.segment_links.filter(role=role)
    held = set(links.values_list("segment_id", flat=True))
    links.filter(segment_id__in=held - wanted).delete()
    # Who moves from one side to the other is in one of them only.
    campaign.segment_links.exclude(role=role).filter(segment_id__in=wanted).delete()
    CampaignSegment.objects.bulk_create(
        CampaignSegment(campaign=campaign, segment_id=pk, role=role) for pk in sorted(wanted - held)
    )
    return held != wanted


def check_segments(
    first: CustomerSegment | None,
    include: Iterable[CustomerSegment],
    exclude: Iterable[CustomerSegment],
) -> None:
    """Raises CrowdError for a segment that is asked for and left out at once."""
    wanted = {segment.pk: segment for segment in [*([first] if first else []), *include]}
    for segment in exclude:
        if segment.pk in wanted:
            raise CrowdError(
                f"“{segment}” cannot be both asked for and left out.", path="exclude_segments"
            )

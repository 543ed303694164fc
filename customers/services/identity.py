"""Which profile a person's identifiers lead to (docs/events.md, "How an event finds its customer").

A ``Directory`` is loaded for a batch of facts with two queries, answers and changes in memory, and
is saved with a few statements. It holds the tenant's identity lock from loading to commit, so two
batches, a request and an import cannot make two profiles of one new person.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.db.names import camel_case
from crm_site.db.rows import insert_rows, to_json, update_rows
from crm_site.tenancy.context import require_tenant_id
from customers.choices import CandidateKind, IdentityAliasType
from customers.models import CustomerProfile, DuplicateCandidate, IdentityAlias
from customers.normalize import first_names_contradict
from customers.services.changes import tell_changed
from customers.services.facts import IDENTIFIERS, PersonFacts
from customers.services.ownership import CRM, apply_fields, counts, set_by_crm

OWN_LINK = {
    "scl": "scl_member_id",
    "teetime": "teetime_player_id",
    "messaging": "messaging_contact_id",
}
LINKS = tuple(OWN_LINK.values())
SHARED_IN_FAMILIES = ("email", "phone_number")
ALIAS_TYPES = {
    "auth_user_id": IdentityAliasType.AUTH_USER_ID,
    "email": IdentityAliasType.EMAIL,
    "phone_number": IdentityAliasType.PHONE,
    **dict.fromkeys(LINKS, IdentityAliasType.EXTERNAL_ID),
}
MATCH_TYPES = {"phone_number": "phone"}  # The review queue's words where they are not ours.
# How sure it is that who shares this is one person, 0 to 100, unless their first names differ.
CONFIDENCE = {"email": 70, "phone_number": 60}
CONFIDENCE_BY_LINK = 90
CONFIDENCE_AGAINST_NAMES = 40

STAMPS = ("updated_at", "updated_by")
# What a directory may write back. Consent has its own writer; stamps follow from the rest.
WRITTEN = tuple(
    field.name
    for field in CustomerProfile._meta.concrete_fields
    if not field.primary_key
    and "opt_in" not in field.name
    and "consent" not in field.name
    and field.name not in {"tenant", "created_at", "created_by", *STAMPS}
    and field.name not in {"search_vector", "merged_into"}
)

READ = [
    field.name for field in CustomerProfile._meta.concrete_fields if field.name != "search_vector"
]
# What finding and admitting somebody reads.
MATCHED = (*IDENTIFIERS, "first_name", "membership_status", "lifecycle_stage", "source_times")


def alias_value(name: str, value: Any) -> str:
    """How an identifier is written as an alias: a link says whose it is, ``sclMemberId:1042``."""
    return f"{camel_case(name)}:{value}" if name in LINKS else str(value)


def lock_identities() -> None:
    """Until commit, nobody else gives or takes identifiers of the tenant in scope.

    Taken before any profile's row is locked, so that two such transactions queue up.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"customers.identity:{require_tenant_id()}"],
        )


# An alias of a merged profile leads on to its survivor, however often that was merged in turn.
ALIASES = """
WITH RECURSIVE leads AS (
    SELECT a.type, a.value, a.customer_id
      FROM json_to_recordset(%s::json) AS asked(type varchar, value varchar)
      JOIN customers_identityalias a
        ON a.tenant_id = %s AND a.type = asked.type AND a.value = asked.value
    UNION
    SELECT leads.type, leads.value, p.merged_into_id
      FROM leads JOIN customers_customerprofile p ON p.id = leads.customer_id
     WHERE p.merged_into_id IS NOT NULL
)
SELECT type, value, customer_id FROM leads
"""


class Directory:
    """The profiles that a batch of facts may be about, by every identifier they answer to."""

    def __init__(
        self,
        people: Collection[PersonFacts],
        ids: Iterable[UUID] = (),
        *,
        fields: Collection[str] | None = None,
    ) -> None:
        """Load and lock. Call inside a transaction; ``ids`` are wanted beside.

        ``fields`` are all that the caller will read or change beside what the facts name: a profile
        has many, and a batch moves few. None: whole profiles.
        """
        lock_identities()
        self._written: Sequence[str] = WRITTEN
        self._loaded: Sequence[str] = READ
        if fields is not None:
            named = {name for facts in people for name in facts.fields}
            moved = {*MATCHED, *fields, *named}
            self._loaded = self._written = [name for name in WRITTEN if name in moved]
        self.profiles: dict[UUID, CustomerProfile] = {}
        self._holders: dict[tuple[str, str], CustomerProfile] = {}
        self._before: dict[UUID, list[Any]] = {}
        self._new: dict[UUID, CustomerProfile] = {}
        self._aliases: dict[tuple[str, str], IdentityAlias] = {}
        self._alias_counts: dict[UUID, int] = {}
        self._candidates: dict[tuple[UUID, UUID], DuplicateCandidate] = {}
        self._kin: dict[UUID, list[CustomerProfile]] = {}
        wanted = {name: {p.identifiers[name] for p in people if name in p.identifiers}
                  for name in IDENTIFIERS}  # fmt: skip
        aliases = list(find_aliases(wanted))
        self._load(wanted, {*ids, *(customer_id for _, _, customer_id in aliases)})
        for kind, value, customer_id in aliases:
            if customer_id in self.profiles:
                # What stands on a profile itself is stronger than what stands beside one.
                self._holders.setdefault((kind, value), self.profiles[customer_id])
        self._load_kin(people)

    def _load(self, wanted: dict[str, set[Any]], ids: set[UUID]) -> None:
        condition = Q(pk__in=ids)
        for name, values in wanted.items():
            condition |= Q(**{f"{name}__in": values}) if values else Q()
        if not ids and not any(wanted.values()):
            return
        # Locked in id order, as merging does, so that two such batches queue up.
        rows = CustomerProfile.objects.live().filter(condition).order_by("pk")
        for profile in rows.only(*self._loaded).select_for_update(no_key=True):
            self.profiles[profile.pk] = profile
            self._before[profile.pk] = self._values(profile)
            for name in IDENTIFIERS:
                if getattr(profile, name) is not None:
                    self._hold(profile, name, getattr(profile, name))

    def _load_kin(self, people: Collection[PersonFacts]) -> None:
        """Who was told apart before from the holder of an address used under another name."""
        shared = {
            holder.pk
            for facts in people
            for name in SHARED_IN_FAMILIES
            if name in facts.identifiers
            and (holder := self.holder(name, facts.identifiers[name])) is not None
            and first_names_contradict(holder.first_name, facts.first_name)
        }
        if not shared:
            return
        told_apart = Q(kind=CandidateKind.HOUSEHOLD) | Q(match_score__lte=CONFIDENCE_AGAINST_NAMES)
        pairs = DuplicateCandidate.objects.filter(
            told_apart, Q(profile_a__in=shared) | Q(profile_b__in=shared)
        ).values_list("profile_a_id", "profile_b_id")
        both_ways = sorted({way for pair in pairs for way in (pair, pair[::-1])})
        self._load({}, {other for _, other in both_ways if other not in self.profiles})
        for one, other in both_ways:
            if other in self.profiles:
                self._kin.setdefault(one, []).append(self.profiles[other])

    def _hold(self, profile: CustomerProfile, name: str, value: Any) -> None:
        self._holders[ALIAS_TYPES[name], alias_value(name, value)] = profile

    def holder(self, name: str, value: Any) -> CustomerProfile | None:
        """The live profile that answers to this identifier."""
        return self._holders.get((ALIAS_TYPES[name], alias_value(name, value)))

    def find(self, facts: PersonFacts, *, source: str) -> CustomerProfile | None:
        """The profile these facts are about, if there is one."""
        return self._resolve(facts, source)[0]

    def admit(
        self, facts: PersonFacts, *, source: str, at: datetime, blanks_only: bool = False
    ) -> CustomerProfile:
        """The profile these facts are about, made if there is none, and brought up to date.

        ``blanks_only`` changes nothing that a profile we have says already.
        """
        found, rivals = self._resolve(facts, source)
        profile = found or self._make()
        if found and blanks_only:
            facts = _for_blanks(found, facts)
        for rival, names in rivals:
            self._suspect(profile, rival, names, facts.first_name)
        self.attach(profile, facts, source=source, at=at)
        apply_fields(profile, facts.fields, source=source, at=at)
        return profile

    def _resolve(
        self, facts: PersonFacts, source: str
    ) -> tuple[CustomerProfile | None, list[tuple[CustomerProfile, list[str]]]]:
        """The strongest match, and who else answers, by which identifiers."""
        found: CustomerProfile | None = None
        answers: dict[UUID, list[str]] = {}
        for name in _by_strength(source):
            holder = (
                self.holder(name, facts.identifiers[name]) if name in facts.identifiers else None
            )
            if holder is None:
                continue
            answers.setdefault(holder.pk, []).append(name)
            if found is None and not (
                name in SHARED_IN_FAMILIES
                and first_names_contradict(holder.first_name, facts.first_name)
            ):
                found = holder
        if found is None and {*facts.identifiers} <= {*SHARED_IN_FAMILIES}:
            found = self._find_kin(answers, facts)
        rivals = [(self.profiles[pk], names) for pk, names in answers.items()
                  if found is None or pk != found.pk]  # fmt: skip
        return found, rivals

    def _find_kin(self, holders: Iterable[UUID], facts: PersonFacts) -> CustomerProfile | None:
        """Who uses a relative's address time and again is one person, though it is not theirs."""
        last_name = facts.fields.get("last_name")
        for profile in [kin for pk in holders for kin in self._kin.get(pk, ())]:
            is_other = first_names_contradict(profile.first_name, facts.first_name) or (
                last_name and first_names_contradict(profile.last_name, last_name)
            )
            if profile.first_name and not is_other:
                return profile
        return None

    def _make(self) -> CustomerProfile:
        actor = Actor.current().id
        profile = CustomerProfile(created_by=actor, updated_by=actor)
        self.profiles[profile.pk] = self._new[profile.pk] = profile
        return profile

    def attach(
        self, profile: CustomerProfile, facts: PersonFacts, *, source: str, at: datetime
    ) -> None:
        """Give the profile the identifiers nobody else holds; what it cannot show is an alias."""
        for name, value in facts.identifiers.items():
            if self.holder(name, value) not in (None, profile):
                continue
            held = getattr(profile, name)
            self._hold(profile, name, value)
            if held == value:
                counts(profile, name, value, source=source, at=at)
                continue
            if source == CRM:
                set_by_crm(profile, name, value)
            elif not counts(profile, name, value, source=source, at=at):
                self._keep_beside(profile, name, value, source)
                continue
            else:
                setattr(profile, name, value)
            if held is not None:
                self._keep_beside(profile, name, held, source)

    def _keep_beside(self, profile: CustomerProfile, name: str, value: Any, source: str) -> None:
        key = (ALIAS_TYPES[name], alias_value(name, value))
        self._alias_counts[profile.pk] = self._alias_counts.get(profile.pk, 0) + 1
        self._aliases[key] = IdentityAlias(
            customer_id=profile.pk, type=key[0], value=key[1], source=source
        )

    def _suspect(
        self,
        profile: CustomerProfile,
        rival: CustomerProfile,
        names: list[str],
        first_name: str | None,
    ) -> None:
        first, second = sorted((profile.pk, rival.pk))
        evidence = {camel_case(name): {"agreement": "exact"} for name in names}
        score, kind = CONFIDENCE.get(names[0], CONFIDENCE_BY_LINK), CandidateKind.DUPLICATE
        if first_names_contradict(rival.first_name, first_name or profile.first_name):
            evidence["firstName"] = {"agreement": "contradicts"}
            score = min(score, CONFIDENCE_AGAINST_NAMES)
            if {*names} <= {*SHARED_IN_FAMILIES}:
                kind = CandidateKind.HOUSEHOLD
            if profile not in self._kin.setdefault(rival.pk, []):
                self._kin[rival.pk].append(profile)
        self._candidates.setdefault((first, second), DuplicateCandidate(
            profile_a_id=first, profile_b_id=second, match_type=MATCH_TYPES.get(names[0], names[0]),
            match_score=score,
            match_fields=evidence, kind=kind, claimed=names,
        ))  # fmt: skip

    @property
    def newcomers(self) -> list[CustomerProfile]:
        """Profiles that ``save`` will add."""
        return list(self._new.values())

    def changes(self) -> dict[UUID, dict[str, dict[str, Any]]]:
        """Old and new by field, of each profile that ``save`` will change."""
        found = {}
        for pk, before in self._before.items():
            after = self._values(self.profiles[pk])
            if after != before:
                found[pk] = {
                    name: {"old": old, "new": new}
                    for name, old, new in zip(self._written, before, after, strict=True)
                    if old != new
                }
        return found

    def state_of(self, profile: CustomerProfile) -> tuple[list[Any], int]:
        """What would be written of a profile now; compare two to see whether it moved."""
        return self._values(profile), self._alias_counts.get(profile.pk, 0)

    def _values(self, profile: CustomerProfile) -> list[Any]:
        return [getattr(profile, name) for name in self._written]

    def save(self) -> None:
        """Write new and changed profiles, aliases and possible duplicates: four statements."""
        now, actor = timezone.now(), Actor.current().id
        changed, names = [], set(STAMPS)
        for pk, before in self._before.items():
            profile = self.profiles[pk]
            after = self._values(profile)
            if after != before:
                moved = zip(self._written, before, after, strict=True)
                names |= {name for name, old, new in moved if old != new}
                profile.updated_at, profile.updated_by = now, actor
                changed.append(profile)
        insert_rows(list(self._new.values()))
        update_rows(changed, names)
        tell_changed(self._new, columns=None)
        tell_changed([profile.pk for profile in changed], columns=names)
        _write_aliases(list(self._aliases.values()))
        _write_candidates(list(self._candidates.values()))


def _for_blanks(profile: CustomerProfile, facts: PersonFacts) -> PersonFacts:
    """Of the facts, those about which the profile says nothing."""

    def is_blank(name: str) -> bool:
        return getattr(profile, name) in (None, "", [], {})

    return PersonFacts(
        {name: value for name, value in facts.identifiers.items() if is_blank(name)},
        {name: value for name, value in facts.fields.items() if is_blank(name)},
    )


def _by_strength(source: str) -> tuple[str, ...]:
    """Identifiers, the strongest first. Another service's link is asked last of all."""
    own = LINKS if source == CRM else tuple(filter(None, [OWN_LINK.get(source)]))
    others = tuple(name for name in LINKS if name not in own)
    return ("auth_user_id", *own, *SHARED_IN_FAMILIES, *others)


def find_aliases(wanted: Mapping[str, Collection[Any]]) -> Iterator[tuple[str, str, UUID]]:
    """Of values by identifier: an alias's type and value, and each profile that it leads to."""
    asked = [
        {"type": ALIAS_TYPES[name], "value": alias_value(name, value)}
        for name, values in wanted.items()
        for value in values
    ]
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(ALIASES, [to_json(asked), require_tenant_id()])
            yield from cursor.fetchall()


# A value that led to a deleted profile may lead to a live one from now on; never from live to live.
KEEP_ALIASES = """
INSERT INTO customers_identityalias AS held
    (id, tenant_id, customer_id, type, value, is_primary, source, created_at, updated_at)
SELECT id, tenant_id, customer_id, type, value, false, source, created_at, updated_at
  FROM json_populate_recordset(NULL::customers_identityalias, %s::json)
ON CONFLICT (tenant_id, type, value) DO UPDATE
   SET customer_id = excluded.customer_id, source = excluded.source,
       updated_at = excluded.updated_at
 WHERE EXISTS (SELECT FROM customers_customerprofile p
                WHERE p.id = held.customer_id AND p.deleted_at IS NOT NULL)
"""


def _write_aliases(aliases: list[IdentityAlias]) -> None:
    if not aliases:
        return
    now = timezone.now()
    rows = [
        {
            **{"id": alias.pk, "tenant_id": alias.tenant_id, "customer_id": alias.customer_id},
            **{"type": alias.type, "value": alias.value, "source": alias.source},
            **{"created_at": now, "updated_at": now},
        }
        for alias in aliases
    ]
    with connection.cursor() as cursor:
        cursor.execute(KEEP_ALIASES, [to_json(rows)])


# Of a pair that is known, only what was claimed is kept beside: the scan's weights, and what people
# ruled, stand.
KEEP_CANDIDATES = """
INSERT INTO customers_duplicatecandidate AS held (id, tenant_id, profile_a_id, profile_b_id,
    match_type, match_score, match_fields, kind, claimed, resolution, created_at)
SELECT id, tenant_id, profile_a_id, profile_b_id, match_type, match_score, match_fields, kind,
    claimed, resolution, created_at
  FROM json_populate_recordset(NULL::customers_duplicatecandidate, %s::json)
ON CONFLICT (profile_a_id, profile_b_id) DO UPDATE
   SET claimed = ARRAY(SELECT DISTINCT unnest(held.claimed || excluded.claimed) ORDER BY 1)
 WHERE NOT held.claimed @> excluded.claimed
"""


def _write_candidates(candidates: list[DuplicateCandidate]) -> None:
    if not candidates:
        return
    fields = DuplicateCandidate._meta.concrete_fields
    rows = [{field.column: getattr(row, field.attname) for field in fields} for row in candidates]
    with connection.cursor() as cursor:
        cursor.execute(KEEP_CANDIDATES, [to_json(rows)])

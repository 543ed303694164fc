"""What the club's staff did at their desks: tags, notes, and work that is still on it."""

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from typing import Any

from django.db import transaction

from campaigns.choices import EventSourceType
from campaigns.models import Campaign, EventPromotion
from campaigns.services.lifecycle import schedule_campaign
from crm_site.audit.actor import Actor
from crm_site.devstack.demo.calendar import at
from crm_site.devstack.demo.people import Kind, Person
from crm_site.devstack.demo.plans import ALL, MEMBERS, rule
from crm_site.messaging.channels import Channel
from crm_site.tenancy.models import Club
from customers.choices import LifecycleStage, NoteType
from customers.models import CustomerNote, CustomerProfile
from customers.services.notes import add_note
from customers.services.profiles import MAX_BATCH, upsert_profiles
from journeys.choices import JourneyStepType
from journeys.models import Journey, JourneyStep
from segments.models import CustomerSegment

NOTES = (
    (NoteType.GENERAL, "Prefers an early tee time; usually plays with the Saturday fourball."),
    (NoteType.GENERAL, "Asked for a buggy with a rain cover when it is wet."),
    (NoteType.FEEDBACK, "Loved the new greens on the Dunes Course and told us so at the bar."),
    (NoteType.FEEDBACK, "Found the pace of play slow on Sunday; marshal spoke to the group ahead."),
    (NoteType.COMPLAINT, "Was double-booked on the first tee. Apologised, offered a round on us."),
    (NoteType.COMPLAINT, "Locker 114 does not close. Maintenance has been told."),
    (NoteType.FOLLOWUP, "Wants to know about moving to a full membership; call after the 15th."),
    (NoteType.FOLLOWUP, "Hosting a company day for 40 in March, asked for a quote."),
    (NoteType.SALES, "Interested in the junior academy for two children."),
    (NoteType.SALES, "Looked at fitting for new irons; the professional will ring."),
    (NoteType.SUPPORT, "Could not sign in to the app; reset on the phone, works now."),
    (NoteType.MARKETING, "Happy to be quoted on the website about the Club Championship."),
    (NoteType.INTERNAL, "Pays the subscription by debit order on the 25th."),
)
TAGS = ("estate-resident", "league-side", "committee", "corporate-day", "wine-club", "fourball")


def label_people(people: Sequence[Person], *, actor: Actor) -> None:
    """Tags and stages that staff decide and no other service knows."""
    items = [item for person in people if (item := _label(person))]
    for start in range(0, len(items), MAX_BATCH):
        with transaction.atomic():
            upsert_profiles(items[start : start + MAX_BATCH], actor=actor)


def _label(person: Person) -> dict[str, Any] | None:
    dice = person.dice("labels")
    tags = [tag for tag in TAGS if dice.random() < 0.07]
    stage: LifecycleStage | None = None
    if person.kind is Kind.MEMBER and person.keenness > 0.83:
        tags.append("vip")
        if dice.random() < 0.4:
            stage = LifecycleStage.ADVOCATE
    if person.kind is Kind.LEAD:
        tags = [dice.choice(("open-day", "wedding-enquiry", "golf-expo", "website-enquiry"))]
        stage = LifecycleStage.PROSPECT if dice.random() < 0.35 else LifecycleStage.LEAD
    if not (tags or stage) or not (person.email or person.phone):
        return None
    labels = {"tags": sorted(tags)} | ({"lifecycleStage": stage.value} if stage else {})
    return {"messagingContactId": str(person.contact_id), **labels}


def write_notes(people: Sequence[Person], *, authors: Sequence[Actor]) -> None:
    """A note on every twelfth customer or so, and now and then two. None if there are some."""
    contacts = {str(person.contact_id): person for person in people}
    with transaction.atomic():
        if CustomerNote.objects.exists():
            return
        found = CustomerProfile.objects.live().filter(messaging_contact_id__in=contacts)
        ids = dict(found.values_list("messaging_contact_id", "pk"))
        for contact, person in contacts.items():
            dice = person.dice("notes")
            if contact not in ids or dice.random() > 0.08:
                continue
            for kind, content in dice.sample(NOTES, dice.choice((1, 1, 1, 2))):
                add_note(
                    customer_id=ids[contact],
                    content=content,
                    actor=dice.choice(authors),
                    type=kind,
                    is_pinned=dice.random() < 0.12,
                )


def plan_ahead(*, today: date, actor: Actor) -> None:
    """A draft, a campaign for the day after tomorrow, a journey's draft and a promotion."""
    with transaction.atomic():
        if Journey.objects.exists():
            return
        segments = {each.name: each for each in CustomerSegment.objects.live()}
        _campaign(
            "Festive Gift Vouchers",
            "Half-written: which offer, and from when?",
            segments[ALL],
            actor,
        )
        newsletter = _campaign(
            f"{today + timedelta(days=2):%B} Newsletter",
            "Goes out by itself.",
            segments[MEMBERS],
            actor,
        )
        goes_out = at(today + timedelta(days=2), time(9, 0))
        schedule_campaign(campaign_id=newsletter.pk, actor=actor, scheduled_at=goes_out)
        _welcome_journey(actor)
        _promotion(today, segments[MEMBERS], actor)


def _campaign(name: str, description: str, segment: CustomerSegment, actor: Actor) -> Campaign:
    made: Campaign = Campaign.objects.create(
        name=name,
        description=description,
        segment=segment,
        channels=[Channel.EMAIL],
        email_template_id="newsletter-email",
        timezone="Africa/Johannesburg",
        created_by=actor.id,
    )
    return made


def _welcome_journey(actor: Actor) -> None:
    """A welcome for new members, drawn and not yet switched on."""
    journey = Journey.objects.create(
        name="Welcome, New Member",
        description="The first month with us: a welcome, a look whether it was read, a nudge.",
        trigger_type="MEMBERSHIP_CREATED",
        timezone="Africa/Johannesburg",
        created_by=actor.id,
    )
    steps = [
        JourneyStep.objects.create(
            journey=journey, step_number=number, type=kind, name=name, config=config
        )
        for number, (kind, name, config) in enumerate(_welcome_steps(), start=1)
    ]
    trigger, welcome, wait, is_read, tag, remind, end = steps
    trigger.next_step, welcome.next_step, wait.next_step = welcome, wait, is_read
    is_read.next_step_yes, is_read.next_step_no = tag, remind
    tag.next_step = remind.next_step = end
    JourneyStep.objects.bulk_update(steps, ["next_step", "next_step_yes", "next_step_no"])


def _welcome_steps() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield JourneyStepType.TRIGGER, "Became a member", {"eventType": "MEMBERSHIP_CREATED"}
    welcome = {"channel": "EMAIL", "templateId": "welcome-email"}
    yield JourneyStepType.SEND, "Welcome e-mail", welcome
    yield JourneyStepType.WAIT, "Three days", {"duration": "3 days"}
    opened = rule("lastEmailOpenAt", "withinLast", {"amount": 3, "unit": "days"})
    yield JourneyStepType.CONDITION, "Opened it?", {"combinator": "AND", "rules": [opened]}
    yield JourneyStepType.UPDATE, "Tag as welcomed", {"field": "tags", "value": "welcomed"}
    reminder = {"channel": "SMS", "templateId": "reminder-sms"}
    yield JourneyStepType.SEND, "Reminder by SMS", reminder
    yield JourneyStepType.END, "End", {}


def _promotion(today: date, segment: CustomerSegment, actor: Actor) -> None:
    opens = today + timedelta(days=40)
    EventPromotion.objects.create(
        club=Club.objects.order_by("name")[0],
        source_type=EventSourceType.COMPETITION,
        source_id=f"summer-fourball-classic-{opens.year}",
        channels=[Channel.EMAIL, Channel.SMS],
        announce_at=at(today + timedelta(days=6), time(9, 0)),
        segment=segment,
        email_template_id="competition-email",
        sms_template_id="offer-sms",
        social_content="Two days, four balls, one trophy: entries for the Fourball Classic open.",
        created_by=actor.id,
    )

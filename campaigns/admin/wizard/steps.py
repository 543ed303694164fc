"""The steps of the form, and which of them mends what."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from campaigns.admin.wizard.forms import AudienceForm, BasicsForm, ContentForm, StepForm
from campaigns.admin.wizard.schedule import ScheduleStepForm
from campaigns.admin.wizard.testing import TestStepForm
from campaigns.models import Campaign
from campaigns.services.preflight import Finding, Level


@dataclass(frozen=True)
class Step:
    """``form`` is None where nothing is filled in. ``paths`` are the fields mended there."""

    slug: str
    title: str
    lead: str
    form: type[StepForm] | None = None
    paths: frozenset[str] = frozenset()


STEPS = (
    Step(
        "basics", "Basics", "What it is called, and whether it goes out once or again and again.",
        BasicsForm, frozenset({"name", "type", "club"}),
    ),
    Step(
        "audience", "Audience",
        "Whom it is for. Consent is asked once more as each message leaves, so nobody who said no "
        "hears, whatever the segments say.",
        AudienceForm, frozenset({"segment", "include_segments", "exclude_segments"}),
    ),
    Step(
        "content", "Content", "Over which channels, and what it says there.",
        ContentForm,
        frozenset({"channels", "email_template_id", "sms_template_id", "push_template_id"}),
    ),
    Step(
        "schedule", "Schedule", "When it goes out, by which clock.",
        ScheduleStepForm,
        frozenset({"scheduled_at", "recur_pattern", "recur_end_at", "timezone",
                   "quiet_hours_policy", "messages_per_hour"}),
    ),
    Step(
        "test", "Test", "Try two versions on some, or keep some out to compare with. Optional.",
        TestStepForm,
        frozenset({"hold_out_percent", "test_percent", "test_metric", "test_hours", "variants"}),
    ),
    Step("review", "Review", "Exactly what will happen, before it does."),
)  # fmt: skip
FIRST, REVIEW = STEPS[0], STEPS[-1]
BY_SLUG = {step.slug: step for step in STEPS}


@dataclass(frozen=True)
class Mark:
    """A step in the bar above the form."""

    step: Step
    number: int
    url: str
    is_here: bool
    problem: str


def step_url(campaign: Campaign, step: Step) -> str:
    return reverse("admin:campaigns_campaign_step", args=[campaign.pk, step.slug])


def step_of(path: str) -> Step | None:
    """Where a finding about a field is mended; None where no step has it."""
    return next((step for step in STEPS if path in step.paths), None)


def step_after(step: Step) -> Step:
    return STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]


def first_open(findings: Iterable[Finding]) -> Step:
    """The step to go on with: the first that keeps the campaign from starting."""
    red = {step_of(each.path) for each in findings if each.level == Level.RED}
    return next((step for step in STEPS if step in red), REVIEW)


def marks(campaign: Campaign | None, here: Step, findings: Iterable[Finding]) -> list[Mark]:
    red: dict[Step, str] = {}
    for each in findings:
        step = step_of(each.path)
        if each.level == Level.RED and step is not None:
            red.setdefault(step, each.message)
    return [
        Mark(
            step=step,
            number=number,
            url=step_url(campaign, step) if campaign else "",
            is_here=step == here,
            problem=red.get(step, ""),
        )
        for number, step in enumerate(STEPS, 1)
    ]

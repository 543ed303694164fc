"""Results in plain words."""

from campaigns.models import Campaign, CampaignResults
from campaigns.services.confidence import FEWEST_CONVERSIONS, FEWEST_PEOPLE, Uplift
from campaigns.services.goals import goal_of
from campaigns.services.results import uplift_of


def verdict(campaign: Campaign, results: CampaignResults) -> tuple[str, str]:
    """A tone and a sentence: did the campaign do it? Blank without a goal."""
    if not campaign.goal_activity_type:
        return "", ""
    if not results.held_out_people:
        return "amber", (
            "Nobody was held out, so nobody can say how many would have done it anyway. "
            "Hold out a share of the next audience to find out."
        )
    uplift = uplift_of(results)
    if uplift is None:
        return "amber", (
            f"Too little to tell yet: it takes {FEWEST_PEOPLE} people reached, {FEWEST_PEOPLE} "
            f"held out, and {FEWEST_CONVERSIONS} who did it."
        )
    noun = goal_of(campaign.goal_activity_type).noun
    if uplift.low > 0:
        said = f"Between {uplift.low:,} and {uplift.high:,} extra {noun} came of it"
        return "green", f"{said}, about {uplift.extra:,} (with 95 % certainty)."
    if uplift.high < 0:
        said = f"It cost between {-uplift.high:,} and {-uplift.low:,} {noun}"
        return "red", f"{said}, about {-uplift.extra:,} (with 95 % certainty)."
    return "amber", f"It may be chance: {_range(uplift, noun)} (with 95 % certainty)."


def _range(uplift: Uplift, noun: str) -> str:
    fewer = f"{-uplift.low:,} fewer" if uplift.low else "no"
    return f"anything between {fewer} and {uplift.high:,} extra {noun}"


def compared(campaign: Campaign, results: CampaignResults) -> list[dict[str, object]]:
    """Those reached and those held out, each with their share; empty without a goal."""
    if not campaign.goal_activity_type:
        return []
    groups = [
        ("Reached", "CONVERTED", results.reached_people, results.reached_converted),
        ("Held out", "HELD_OUT", results.held_out_people, results.held_out_converted),
    ]
    return [
        {
            "label": label,
            "step": step,
            "people": people,
            "converted": converted,
            "share": f"{converted / people:.1%}" if people else "–",
        }
        for label, step, people, converted in groups
        if people
    ]


def goal_in_words(campaign: Campaign) -> str:
    if not campaign.goal_activity_type:
        return ""
    days = f"within {campaign.goal_days} day{'' if campaign.goal_days == 1 else 's'}"
    return f"{goal_of(campaign.goal_activity_type).did} {days} of the message"

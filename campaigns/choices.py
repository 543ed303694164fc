"""Values of the campaign tables' enums, as the data model has them."""

from django.db import models


class CampaignType(models.TextChoices):
    ONE_TIME = "ONE_TIME", "Once"
    RECURRING = "RECURRING", "Repeating"
    TRIGGERED = "TRIGGERED", "On an event"
    JOURNEY = "JOURNEY", "Part of a journey"


class CampaignStatus(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    SCHEDULED = "SCHEDULED", "Scheduled"
    ACTIVE = "ACTIVE", "Sending"
    PAUSED = "PAUSED", "Paused"
    COMPLETED = "COMPLETED", "Completed"
    CANCELLED = "CANCELLED", "Cancelled"


class SegmentRole(models.TextChoices):
    """How a further segment of a campaign counts."""

    INCLUDE = "INCLUDE", "And also"
    EXCLUDE = "EXCLUDE", "But not"


class QuietHoursPolicy(models.TextChoices):
    """What happens to a message that comes up in somebody's quiet hours."""

    WAIT = "WAIT", "Wait until they are over"
    SKIP = "SKIP", "Leave that person out"


class WinnerMetric(models.TextChoices):
    """What decides between the variants of a campaign."""

    OPENED = "OPENED", "Opens"
    CLICKED = "CLICKED", "Clicks"
    CONVERTED = "CONVERTED", "Conversions"


class ApprovalStatus(models.TextChoices):
    REQUESTED = "REQUESTED", "Waits for a second person"
    APPROVED = "APPROVED", "Approved"
    RETURNED = "RETURNED", "Returned with a remark"
    UNDONE = "UNDONE", "Undone by a later change"


class CampaignInteractionType(models.TextChoices):
    SENT = "SENT", "Sent"
    DELIVERED = "DELIVERED", "Delivered"
    BOUNCED = "BOUNCED", "Bounced"
    OPENED = "OPENED", "Opened"
    CLICKED = "CLICKED", "Clicked"
    CONVERTED = "CONVERTED", "Converted"
    UNSUBSCRIBED = "UNSUBSCRIBED", "Unsubscribed"
    COMPLAINED = "COMPLAINED", "Complained"
    REPLIED = "REPLIED", "Replied"


class Dimension(models.TextChoices):
    """What a campaign's figures are taken apart by."""

    CHANNEL = "CHANNEL", "Channel"
    TEMPLATE = "TEMPLATE", "Template"
    VARIANT = "VARIANT", "Variant"
    SEGMENT = "SEGMENT", "Segment"
    TIER = "TIER", "Membership tier"
    DEVICE = "DEVICE", "Device"
    HOUR = "HOUR", "Hours after the start"
    LINK = "LINK", "Link"


class RunStatus(models.TextChoices):
    PENDING = "PENDING", "Due"
    SENDING = "SENDING", "Sending"
    COMPLETED = "COMPLETED", "Completed"
    CANCELLED = "CANCELLED", "Cancelled"
    MISSED = "MISSED", "Missed"
    FAILED = "FAILED", "Failed"
    SKIPPED = "SKIPPED", "Skipped"


class DeliveryState(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    CLAIMED = "CLAIMED", "Being sent"
    UNKNOWN = "UNKNOWN", "Not yet settled"
    ACCEPTED = "ACCEPTED", "Sent"
    REJECTED = "REJECTED", "Refused"
    SUPPRESSED = "SUPPRESSED", "Left out"
    CANCELLED = "CANCELLED", "Cancelled"


class DeliveryReason(models.TextChoices):
    """Why somebody was not sent to."""

    NO_CONSENT = "NO_CONSENT", "No consent"
    NO_ADDRESS = "NO_ADDRESS", "No address"
    CAPPED = "CAPPED", "Hears from us enough already"
    QUIET_HOURS = "QUIET_HOURS", "Quiet hours"
    SUPPRESSED = "SUPPRESSED", "Suppressed"
    HELD_OUT = "HELD_OUT", "Held out for comparison"
    ERASED = "ERASED", "Erased"
    MERGED = "MERGED", "Merged into another customer"
    INACTIVE = "INACTIVE", "No longer active"
    REJECTED = "REJECTED", "Refused by Messaging"
    EXPIRED = "EXPIRED", "Too late to send"
    HOUR_PASSED = "HOUR_PASSED", "Their hour had passed"
    CANCELLED = "CANCELLED", "Campaign cancelled"


class PassedHour(models.TextChoices):
    """What is done for somebody in whose zone the hour has passed already."""

    SEND = "SEND", "Send at once"
    SKIP = "SKIP", "Leave them out"


class FiringState(models.TextChoices):
    WAITING = "WAITING", "Waiting"
    FIRED = "FIRED", "Written to"
    SKIPPED = "SKIPPED", "Left out"


class FiringReason(models.TextChoices):
    """Why an event led to no message."""

    NOT_MATCHED = "NOT_MATCHED", "The conditions did not hold"
    NOT_IN_SEGMENT = "NOT_IN_SEGMENT", "Not in the segment"
    RECENT = "RECENT", "Written to for another event lately"
    LATE = "LATE", "Too late"
    GONE = "GONE", "No longer a customer"
    CANCELLED = "CANCELLED", "Campaign cancelled"


class EventSourceType(models.TextChoices):
    COMPETITION = "COMPETITION", "Competition"
    CLUB_EVENT = "CLUB_EVENT", "Club event"
    SPECIAL = "SPECIAL", "Special"

"""Values of the segment tables' enums, as the data model has them."""

from django.db import models


class SegmentType(models.TextChoices):
    STATIC = "STATIC", "By hand"
    DYNAMIC = "DYNAMIC", "By rules"
    SMART = "SMART", "By model"
    IMPORT = "IMPORT", "From a file"


class SmartModel(models.TextChoices):
    LAPSE = "LAPSE", "Most likely to lapse"
    RETURN = "RETURN", "Most likely to come back"
    LOOKALIKE = "LOOKALIKE", "Looks like members of a segment"


class SegmentRefreshFrequency(models.TextChoices):
    MANUAL = "MANUAL", "Only when asked"
    HOURLY = "HOURLY", "Every hour"
    DAILY = "DAILY", "Every day"
    WEEKLY = "WEEKLY", "Every week"


class Combinator(models.TextChoices):
    AND = "AND", "all of these"
    OR = "OR", "any of these"


class RefreshStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    RUNNING = "RUNNING", "Running"
    SUCCESS = "SUCCESS", "Done"
    FAILED = "FAILED", "Failed"
    HELD = "HELD", "Waits for a person"


class MembershipMove(models.TextChoices):
    ENTERED = "ENTERED", "Joined"
    LEFT = "LEFT", "Left"

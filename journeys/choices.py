"""Values of the journey tables' enums, as the data model has them."""

from django.db import models


class JourneyStatus(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    ACTIVE = "ACTIVE", "Live"
    PAUSED = "PAUSED", "Paused"
    ARCHIVED = "ARCHIVED", "Archived"


class JourneyStepType(models.TextChoices):
    TRIGGER = "TRIGGER", "Entry"
    SEND = "SEND", "Send a message"
    WAIT = "WAIT", "Wait"
    CONDITION = "CONDITION", "Condition"
    SPLIT = "SPLIT", "Split"
    UPDATE = "UPDATE", "Change the profile"
    END = "END", "End"


class JourneyEnrollmentStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Under way"
    COMPLETED = "COMPLETED", "Completed"
    EXITED = "EXITED", "Left early"
    FAILED = "FAILED", "Failed"


class EnrollmentStepStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    IN_PROGRESS = "IN_PROGRESS", "Under way"
    COMPLETED = "COMPLETED", "Done"
    FAILED = "FAILED", "Failed"
    SKIPPED = "SKIPPED", "Skipped"

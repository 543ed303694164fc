"""Values of the customer tables' enums, as the data model has them."""

from django.db import models


class CustomerStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    INACTIVE = "INACTIVE", "Inactive"
    MERGED = "MERGED", "Merged"
    DELETED = "DELETED", "Deleted"


class LifecycleStage(models.TextChoices):
    SUBSCRIBER = "SUBSCRIBER", "Subscriber"  # E-mail only
    LEAD = "LEAD", "Lead"  # Showed interest
    PROSPECT = "PROSPECT", "Prospect"  # Engaged
    CUSTOMER = "CUSTOMER", "Customer"  # Has transacted
    MEMBER = "MEMBER", "Member"  # Active member
    ADVOCATE = "ADVOCATE", "Advocate"  # Refers others
    CHURNED = "CHURNED", "Lapsed"


class IdentityAliasType(models.TextChoices):
    EMAIL = "EMAIL", "E-mail"
    PHONE = "PHONE", "Phone"
    AUTH_USER_ID = "AUTH_USER_ID", "Sign-in"
    EXTERNAL_ID = "EXTERNAL_ID", "External id"


class ActivityCategory(models.TextChoices):
    MEMBERSHIP = "MEMBERSHIP", "Membership"
    BOOKING = "BOOKING", "Booking"
    COMMUNICATION = "COMMUNICATION", "Communication"
    ENGAGEMENT = "ENGAGEMENT", "Engagement"
    FINANCIAL = "FINANCIAL", "Financial"
    GOLF = "GOLF", "Golf"
    MARKETING = "MARKETING", "Marketing"
    SUPPORT = "SUPPORT", "Support"
    SOCIAL = "SOCIAL", "Social"
    SYSTEM = "SYSTEM", "System"


class NoteType(models.TextChoices):
    GENERAL = "GENERAL", "General"
    SUPPORT = "SUPPORT", "Support"
    COMPLAINT = "COMPLAINT", "Complaint"
    FEEDBACK = "FEEDBACK", "Feedback"
    FOLLOWUP = "FOLLOWUP", "Follow-up"
    INTERNAL = "INTERNAL", "Internal"
    MARKETING = "MARKETING", "Marketing"
    SALES = "SALES", "Sales"


class SyncStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    PROCESSING = "PROCESSING", "Processing"
    SUCCESS = "SUCCESS", "Done"
    FAILED = "FAILED", "Failed"
    SKIPPED = "SKIPPED", "Skipped"


class DuplicateResolution(models.TextChoices):
    PENDING = "PENDING", "To review"
    MERGED = "MERGED", "Merged"
    NOT_DUPLICATE = "NOT_DUPLICATE", "Not a duplicate"
    IGNORED = "IGNORED", "Ignored"


class CandidateKind(models.TextChoices):
    DUPLICATE = "DUPLICATE", "May be one person"
    HOUSEHOLD = "HOUSEHOLD", "Same household"  # They share something; their first names differ.


class ScanKind(models.TextChoices):
    FULL = "FULL", "Everybody"
    INCREMENTAL = "INCREMENTAL", "Who changed"


class ImportKind(models.TextChoices):
    CHECK = "CHECK", "Check only"
    IMPORT = "IMPORT", "Import"
    UNDO = "UNDO", "Undo"


class OnConflict(models.TextChoices):
    """Whose word counts where the file and a customer we have differ."""

    OVERWRITE = "OVERWRITE", "Take what the file says"
    FILL = "FILL", "Only fill what is empty"
    KEEP = "KEEP", "Keep ours, add new people only"


class MergeStepKind(models.TextChoices):
    MOVE = "MOVE", "Moved"
    CHANGE = "CHANGE", "Changed"
    REMOVE = "REMOVE", "Taken out"
    ADD = "ADD", "Added"


class ErasureReason(models.TextChoices):
    REQUEST = "REQUEST", "They asked for it"
    NOT_NEEDED = "NOT_NEEDED", "We have no more need of it"
    UNLAWFUL = "UNLAWFUL", "We should not have had it"


class ScoreModelKind(models.TextChoices):
    SEASON = "SEASON", "The club's season"
    CHURN_MEMBERS = "CHURN_MEMBERS", "Members who leave"
    CHURN_PLAYERS = "CHURN_PLAYERS", "Players who stay away"
    VALUE = "VALUE", "What people will spend"


class ExportKind(models.TextChoices):
    LIST = "LIST", "A list of customers"
    PERSON = "PERSON", "Everything about one customer"


class ExportFormat(models.TextChoices):
    CSV = "CSV", "CSV"
    XLSX = "XLSX", "Excel"
    ZIP = "ZIP", "A page to read and JSON, zipped"

"""Who the customers are and what they did."""

from customers.models.activity import Activity
from customers.models.alias import IdentityAlias
from customers.models.bulk_merge import BulkMerge, BulkMergePair
from customers.models.duplicate import DuplicateCandidate, DuplicateScan
from customers.models.erasure import ErasedIdentity, Erasure
from customers.models.export import CustomerExport
from customers.models.importing import CustomerImport, ImportBatch, ImportChange
from customers.models.merge import ProfileMerge, ProfileMergeStep
from customers.models.note import CustomerNote, NoteRevision
from customers.models.profile import CustomerProfile
from customers.models.score import CustomerScore, ScoreModel, ScoreTraining
from customers.models.sync_log import SyncLog
from customers.models.tagging import Tagging, TaggingTarget

__all__ = [
    "Activity",
    "BulkMerge",
    "BulkMergePair",
    "CustomerExport",
    "CustomerImport",
    "CustomerNote",
    "CustomerProfile",
    "CustomerScore",
    "DuplicateCandidate",
    "DuplicateScan",
    "ErasedIdentity",
    "Erasure",
    "IdentityAlias",
    "ImportBatch",
    "ImportChange",
    "NoteRevision",
    "ProfileMerge",
    "ProfileMergeStep",
    "ScoreModel",
    "ScoreTraining",
    "SyncLog",
    "Tagging",
    "TaggingTarget",
]

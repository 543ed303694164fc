"""Screens about customers."""

from customers.admin import (
    activity,
    bulk_merge,
    duplicate,
    erasure,
    export,
    household_panel,
    importing,
    note,
    palette,
    profile,
    scans,
    score_models,
    scores_panel,
    sync_log,
    tagging,
)

__all__ = [
    "activity",
    "bulk_merge",
    "duplicate",
    "erasure",
    "export",
    "household_panel",
    "importing",
    "note",
    "palette",
    "profile",
    "scans",
    "score_models",
    "scores_panel",
    "sync_log",
    "tagging",
]

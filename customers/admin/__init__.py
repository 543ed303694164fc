"""Screens about customers."""

from customers.admin import (
    activity,
    duplicate,
    note,
    palette,
    profile,
    score_models,
    scores_panel,
    sync_log,
)

__all__ = [
    "activity",
    "duplicate",
    "note",
    "palette",
    "profile",
    "score_models",
    "scores_panel",
    "sync_log",
]

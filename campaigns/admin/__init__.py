"""The screens of campaigns."""

from campaigns.admin import campaign, interaction, ledger, promotion

__all__ = ["campaign", "interaction", "ledger", "promotion"]

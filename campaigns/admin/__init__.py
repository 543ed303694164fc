"""The screens of campaigns."""

from campaigns.admin import campaign, customer_panel, interaction, ledger, promotion

__all__ = ["campaign", "customer_panel", "interaction", "ledger", "promotion"]

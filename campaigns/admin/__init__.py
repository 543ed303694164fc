"""The screens of campaigns."""

from campaigns.admin import campaign, customer_panel, interaction, ledger, promotion, single

__all__ = ["campaign", "customer_panel", "interaction", "ledger", "promotion", "single"]

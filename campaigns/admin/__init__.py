"""The screens of campaigns."""

from campaigns.admin import (
    campaign,
    cap,
    customer_panel,
    interaction,
    ledger,
    promotion,
    seeds,
    single,
)

__all__ = [
    "campaign",
    "cap",
    "customer_panel",
    "interaction",
    "ledger",
    "promotion",
    "seeds",
    "single",
]

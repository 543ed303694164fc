"""What happens to campaigns, for apps above to follow. Sent inside the transaction."""

from django.dispatch import Signal

campaign_launched = Signal()  # campaign

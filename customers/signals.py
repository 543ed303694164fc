"""What happens to customers, for apps above to follow. Sent inside the transaction."""

from django.dispatch import Signal

# activities: a list of 1 to 1,000 new Activity rows. One signal a batch, so that who listens can
# answer with a few statements whatever the size.
activities_recorded = Signal()
profile_merged = Signal()  # survivor, absorbed
profile_erased = Signal()  # profile
consent_changed = Signal()  # profile, channel, allowed

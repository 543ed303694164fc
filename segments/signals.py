"""What happens to segments, for apps above to follow. Sent inside the transaction."""

from django.dispatch import Signal

# segment, changed_at: who entered or left at that moment is in SegmentMembershipChange.
membership_changed = Signal()

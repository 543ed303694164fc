"""What happens to customers, for apps above to follow. Sent inside the transaction."""

from django.dispatch import Signal

# activities: a list of 1 to 1,000 new Activity rows. One signal a batch, so that who listens can
# answer with a few statements whatever the size.
activities_recorded = Signal()
# customer_ids: new, changed or deleted profiles. columns: names of the model fields that may have
# moved; None where anything may have, as for a new profile. What only time or a nightly score moves
# is not told: that is found by who looks at everybody.
profiles_changed = Signal()
# survivor, absorbed (as before the merge), record: a MergeRecord, through which rows are changed so
# that the merge can be undone.
profile_merged = Signal()
# survivor, absorbed, record: an UndoRecord. Rows are back already; for what is derived from them.
profile_unmerged = Signal()
profile_erased = Signal()  # profile
consent_changed = Signal()  # profile, channel, allowed

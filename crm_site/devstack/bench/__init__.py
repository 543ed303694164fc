"""How fast the sizes that matter are, against the same work written by hand in SQL.

``make bench`` builds one big tenant on servers of its own and measures as the runtime role, which
row-level security holds. Ours and the floor take turns on the same data in the same run.
"""

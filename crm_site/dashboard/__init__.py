"""The landing page: how the club is doing, and what waits for somebody.

Figures are the same for everybody in the club and a few minutes old at most; what waits and the
campaigns are asked afresh, by what the user may see. No query reads more than an index range.
"""

"""How well and how fast possible duplicates are found: on FEBRL's sets and on clubs of our making.

The clubs have what real ones have and FEBRL has not: families that share a home, a mailbox and a
phone, twins, and fathers and sons of one name. A seed makes the same club every time; the model was
set on other seeds than those it is measured on.
"""

"""Closing a month of a *régie*: what is proven, what is not, and the entry that ends it.

It may import `statements`, `deposits` and what is below. The way in: `steps.steps()` says what is
still to do, `bank_position.position()` compares the books with the bank's statement,
`closing.close()` closes the month, for good.
"""

"""Families: their accounts, passwords and addresses, how they sign in, what they change.

It may import `outbox` and what is below; it knows of no payment, and of no invoice but the one that
a family asks about. The way in: `signin` to verify a password, `own_changes` for all that a family
changes of its own way in, `requests` for what it asks of the town's service, `passwords` for what a
new password must be, `contacts` for the addresses to write to.
"""

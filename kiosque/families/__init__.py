"""Families: their accounts, passwords and addresses, how they sign in, what they change.

It may import `outbox` and what is below; it knows of no invoice and no payment. The way in:
`signin` to verify a password, `own_changes` for all that a family changes of its own way in,
`passwords` for what a new password must be, `contacts` for the addresses to write to.
"""

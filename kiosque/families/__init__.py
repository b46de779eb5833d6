"""Households: who they are, how they sign in, what they change by themselves.

It may import `outbox` and what is below; it knows of no invoice and no payment. The way in:
`signin` for a password, `own_changes` for what a family does of its way in, `accounts` for the
rest.
"""

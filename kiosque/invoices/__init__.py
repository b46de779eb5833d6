"""Invoices: files that bring them, lists that show them, mails that announce them.

It may import `payments`, `families` and what is below. The way in: `imports.load()` for a file,
`imports.undoing` to undo one, `listing` for a family's list, `attestation` for the taxes,
`announcements` for the mails. Only `payments` changes what an invoice has been paid.
"""

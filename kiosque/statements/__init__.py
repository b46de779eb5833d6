"""Statements: the files that banks give of an account, and of the payments that they passed on.

It may import `invoices`, whose readers of tables it shares, and what is below. The ways in:
`reading.read()` for a file, which gives the `records` that any format comes down to, or raises
`Unreadable`, in French, and asks nothing of the database; `loading.load()` keeps what they say that
was not known; `matching` finds what each line is of, and books it; `coverage` says what is missing.
"""

"""Statements: the files that banks give about an account, and about the payments they passed on.

It may import `invoices`, whose readers of tables it shares, and what is below. The way in:
`reading.read()` turns a file of any format into `records`, without the database, or raises
`UnreadableFile`, in French; `loading.load()` stores what is new in them; `matching` finds what
explains each line, and books it; `coverage` says what is missing.
"""

"""Backups: one dated file that holds a town, made, tried, kept for a time, and put back.

It may import `payments`, `families` and what is below; it knows of no page. The way in:
`making.make()`, `restoring.restore()` and `drill.drill()`, one for each command; `archive` reads
and writes the file, `databases` copies and puts back SQLite's or PostgreSQL's. When each was last
done to its end is under the names below (`db.leases`).
"""

#: Names of the chores: a backup was made and read again; it was sent away by the town's command, if
#: there is one; the last one was restored elsewhere and was sound.
MADE, SENT, TRIED = "backup", "backup-offsite", "backup-drill"

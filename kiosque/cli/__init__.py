"""The command line: one door for every chore. `python app.py COMMAND --help` explains each.

It may import every room. The way in: `entry.main`, to which each module adds its commands;
`entry.with_database` gives a command the settings and the database.
"""

from kiosque.cli import check, demo, families, gateways, imports, mails, payments
from kiosque.cli.entry import main

__all__ = ["check", "demo", "families", "gateways", "imports", "mails", "main", "payments"]

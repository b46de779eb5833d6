"""The command line: one door for every chore. `python app.py COMMAND --help` explains each.

It may import every room. The way in: `entry.main`, to which each module adds its commands;
`entry.with_database` gives a command the settings and the database. A command is in the file of
its subject: `migrate` in `database`, `text` in `legal_texts`, `letters` in `families`.
"""

from kiosque.cli import (
    alert,
    backups,
    check,
    corrections,
    database,
    demo,
    families,
    gateways,
    history,
    imports,
    legal_texts,
    mails,
    opening,
    payments,
    privacy,
    refunds,
    security_log,
    staff,
    upgrade,
)
from kiosque.cli.entry import main

__all__ = [
    "alert",
    "backups",
    "check",
    "corrections",
    "database",
    "demo",
    "families",
    "gateways",
    "history",
    "imports",
    "legal_texts",
    "mails",
    "main",
    "opening",
    "payments",
    "privacy",
    "refunds",
    "security_log",
    "staff",
    "upgrade",
]

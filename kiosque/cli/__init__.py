"""The command line: one door for every chore. `python app.py COMMAND --help` explains each.

It may import every room. The way in: `entry.main`, to which each module adds its commands;
`entry.with_database` gives a command the settings and the database. A command is in the file of
its subject: `migrate` in `database`, `text` in `legal_texts`, `letters` in `families`.
"""

from kiosque.cli import (
    alert,
    backups,
    check,
    closings,
    codes,
    corrections,
    credit_notes,
    database,
    demo,
    deposits,
    families,
    gateways,
    history,
    imports,
    journal,
    legal_texts,
    mails,
    mappings,
    opening,
    payments,
    privacy,
    refunds,
    security_log,
    staff,
    statements,
    treasury,
    upgrade,
)
from kiosque.cli.entry import main

__all__ = [
    "alert",
    "backups",
    "check",
    "closings",
    "codes",
    "corrections",
    "credit_notes",
    "database",
    "demo",
    "deposits",
    "families",
    "gateways",
    "history",
    "imports",
    "journal",
    "legal_texts",
    "mails",
    "main",
    "mappings",
    "opening",
    "payments",
    "privacy",
    "refunds",
    "security_log",
    "staff",
    "statements",
    "treasury",
    "upgrade",
]

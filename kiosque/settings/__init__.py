"""The settings of a town: what they are, where they are read, what is refused of them.

It imports no other room, and `gateways` only. The way in: `loading.load()`, which gives a frozen
`Settings` or names every fault at once.
"""

from kiosque.settings.defaults import (
    AttestationRules,
    Backup,
    Legal,
    Mail,
    Monitoring,
    Notices,
    Office,
    OtherRegie,
    Payment,
    Regie,
    Server,
    Settings,
    Town,
)

__all__ = [
    "AttestationRules",
    "Backup",
    "Legal",
    "Mail",
    "Monitoring",
    "Notices",
    "Office",
    "OtherRegie",
    "Payment",
    "Regie",
    "Server",
    "Settings",
    "Town",
]

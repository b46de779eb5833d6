"""Pass a machine from one version to another, every town together, and back.

It may import `backups` and what is below, for the copies of databases. What touches a town is a
program of one version or the other, run as the town's own account; `deploy/install` puts files in
place. The way in: `upgrade()` and `back()`.
"""

from kiosque.upgrade.machine import Failed, Machine, Version
from kiosque.upgrade.steps import back, upgrade

__all__ = ["Failed", "Machine", "Version", "back", "upgrade"]

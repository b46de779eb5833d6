"""Check that none of the town's units has failed, as systemd sees them; read their last words."""

import subprocess

from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation

SUBJECT = "Services"
SECONDS = 10
#: Last lines of a failed unit's journal that are put in the mail, and most characters of each.
LINES, LONGEST_LINE = 15, 300


def check_services(installation: Installation) -> Result:
    """Report each unit that has failed. Where there is no systemd, there is nothing to see."""
    found = Findings()
    for unit in failed(installation):
        found.broken(
            f"{unit} est en échec",
            f"« journalctl -u {unit} » dit pourquoi ; une fois corrigé, "
            f"« systemctl restart {unit} ».",
        )
    return found.result(SUBJECT)


def failed(installation: Installation) -> list[str]:
    """Return the town's units that have failed; none where systemd does not answer."""
    pattern = f"kiosque-*@{installation.settings_file.stem}.*"
    said = _said("systemctl", "list-units", "--state=failed", "--plain", "--no-legend", pattern)
    return [line.split()[0] for line in said.splitlines() if line.strip()]


def last_words(unit: str) -> list[str]:
    """Return the end of a unit's journal. It holds no secret, as no log of ours does."""
    said = _said("journalctl", "--unit", unit, "--lines", str(LINES), "--output=cat", "--no-pager")
    return [line[:LONGEST_LINE] for line in said.splitlines()[-LINES:]]


def _said(*command: str) -> str:
    """Return the output of a systemd program; "" if it is missing, fails or hangs."""
    try:
        done = subprocess.run(  # noqa: S603  # our own command
            command, check=True, capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout

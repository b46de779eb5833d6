"""A worker loads little before its first page: what few pages need waits until one needs it."""

import subprocess
import sys
from pathlib import Path

#: Each costs memory or the time to start, and serves a PDF, a bank that is asked, the legal pages,
#: a password that is chosen, an address that is shown, the command line; then the town hall's area
#: and what watches the site, with the rooms that they alone need.
LATER = {
    "typst",
    "requests",
    "lxml",
    "markdown_it",
    "zxcvbn",
    "email_validator",
    "kiosque.cli",
    "kiosque.web.views.office.today",
    "kiosque.web.views.state",
    "kiosque.invoices.imports",
    "kiosque.statements",
    "kiosque.deposits",
    "kiosque.closings",
    "kiosque.mails",
    "kiosque.papers.typesetting",
    "kiosque.web.office.exports",
    "kiosque.monitoring",
    "kiosque.privacy",
}


def test_a_worker_starts_without_what_few_pages_need() -> None:
    code = "import sys, app; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    loaded = set(answer.stdout.split())
    assert "kiosque.web.views" in loaded
    assert not LATER & loaded

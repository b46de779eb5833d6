"""A town with money in its books, PDFs and texts, and its backups."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.backups import archive
from kiosque.backups.archive import Manifest
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.settings import Settings
from tests.bank import notice
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.conftest import Run

Pay = Callable[..., tuple[Attempt, Handoff]]


@dataclass
class Town:
    """Alice's town. `pay` has her pay one more invoice by card; `backup` is the command, and
    returns the file."""

    settings: Settings
    family: Family
    gateway: Gateway
    go_to_bank: Pay
    run: Run
    paid: int = 0

    def open(self) -> tuple[Attempt, Handoff]:
        self.paid += 1
        invoice = make_invoice(self.family, f"N{self.paid:04}", 1000 + self.paid)
        return self.go_to_bank(self.family, invoice)

    def hear(self, handoff: Handoff, number: int) -> None:
        said = notice(handoff, trans_uuid=f"{number:032x}")
        report = self.gateway.read_notification(Callback.of_form(said.items()))
        payments.record(self.gateway.name, report, ISSUERS)

    def pay(self) -> Invoice:
        _, handoff = self.open()
        self.hear(handoff, self.paid)
        return Invoice.get(Invoice.number == f"N{self.paid:04}")

    def backup(self, *arguments: str) -> Path:
        result: Result = self.run("backup", *arguments)
        assert result.exit_code == 0, result.output
        return Path(result.output.splitlines()[-1])


@pytest.fixture
def town(run: Run, settings: Settings, alices_family: Family, gateway: Gateway, pay: Pay) -> Town:
    made = Town(settings, alices_family, gateway, pay, run)
    for folder, name in (("pdf", "N0001.pdf"), ("texts", "confidentialite.md")):
        (settings.data / folder).mkdir()
        (settings.data / folder / name).write_bytes(f"# De {folder}\n".encode())
    made.pay()
    return made


def read(path: Path, into: Path | None = None) -> Manifest:
    return archive.read(path, into)[0]

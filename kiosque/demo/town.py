"""The demo town: load its files, and give some families a way in."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from peewee import fn

from kiosque import payments, resources
from kiosque.db import write
from kiosque.db.models import Account, Family, FamilyNotice, Invoice
from kiosque.db.states import InvoiceState, NoticeKind
from kiosque.demo import agents, past_month
from kiosque.families import accounts, own_changes, tokens
from kiosque.families.codes import random_code
from kiosque.invoices import announcements, imports
from kiosque.invoices.imports.reading import Progress
from kiosque.language import clock
from kiosque.settings import Settings

FILES = resources.find("data/demo")
#: When the month to close begins: the invoices that it pays are there.
_BEFORE = datetime(2026, 10, 5, 8, tzinfo=UTC)


def load(settings: Settings, progress: Progress) -> list[str]:
    """Load the town on the first run; return a line for each family and agent to try, in French."""
    accounts_file = settings.data / "demo-families.json"
    if not accounts_file.exists():
        _load_files(settings, progress)
        _announce_to(_families_to_try()[0])
        _make_accounts(accounts_file)
    return [*_account_lines(accounts_file), *agents.load(settings)]


def _load_files(settings: Settings, progress: Progress) -> None:
    """Load the town's files; rows that an interrupted first run loaded are skipped."""
    print("Premier lancement : chargement de la ville de démonstration.", flush=True)
    *earlier, last = sorted(path.name for path in FILES.glob("factures-*.csv"))
    with clock.held_at(_BEFORE):
        _load_each(("familles.csv", *earlier), settings, progress)
    past_month.impute()
    past_month.play(settings, FILES / "paiements-2026-10.csv")
    past_month.forget_mails()
    _load_each((last, "encaissements.csv"), settings, progress)


def _load_each(names: Iterable[str], settings: Settings, progress: Progress) -> None:
    for name in names:
        imports.load(FILES / name, pdf_folder=settings.data / "pdf", progress=progress)


def _announce_to(family: Family) -> None:
    """Queue one mail to show, about this family's invoices; none if there is one already."""
    if FamilyNotice.select().exists():
        return
    invoices = Invoice.select().where(Invoice.family == family, payments.payable_now())
    with write():
        announcements.queue_notice(NoticeKind.NEW_INVOICES, family, list(invoices))


def _make_accounts(path: Path) -> None:
    """Give three families a password, and a fourth the activation code of a letter.

    The file that keeps them is renamed into place last: it marks the first run as complete.
    """
    *families, newcomer = _families_to_try()
    passwords = {
        family.code: accounts.issue_password(family, must_change=number == 2)
        for number, family in enumerate(families)
    }
    code = random_code()
    own_changes.issue_codes([(newcomer, code)])
    made = {"passwords": passwords, "activation_codes": {newcomer.code: code}}
    agents.write_secrets(path, made)


def _account_lines(path: Path) -> list[str]:
    made = json.loads(path.read_text(encoding="utf-8"))
    lines = []
    for code, password in made["passwords"].items():
        account = Account.select().join(Family).where(Family.code == code).get()
        note = _password_note(account, password)
        lines.append(f"code famille : {code}  mot de passe : {password}{note}")
    for code, activation in made["activation_codes"].items():
        note = "" if tokens.find_code(code, activation) else "  (déjà servi, ou trop ancien)"
        lines.append(f"code famille : {code}  code d’activation : {activation}{note}")
    return lines


def _password_note(account: Account, password: str) -> str:
    if not accounts.verify_password(account, password):
        return "  (changé depuis)"
    return "  (à changer à la première connexion)" if account.must_change_password else ""


def _families_to_try() -> list[Family]:
    """Return four families that have three invoices to pay."""
    return list(
        Family.select()
        .join(Invoice)
        .where(Invoice.state == InvoiceState.OPEN)
        .group_by(Family)
        .having(fn.COUNT(Invoice.id) == 3)
        .order_by(Family.code)
        .limit(4)
    )

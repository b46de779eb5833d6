"""Each thing is forgotten in its time: not a day before, and never by half."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from kiosque.db.models import (
    Account,
    Attempt,
    Family,
    FamilyRequest,
    Invoice,
    InvoiceLine,
    OutboxMail,
    SecurityEvent,
    Settlement,
    StatementLine,
    Upload,
)
from kiosque.families import sessions
from kiosque.payments import transmit, verification
from kiosque.privacy import forgetting
from kiosque.privacy.inactive_families import gone, years_before
from kiosque.settings import Settings
from tests import fresh_databases, sentences
from tests.conftest import Clock, choose_password, dump, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.privacy.conftest import NAMES, told
from tests.uploads import make_upload

YEARS = 3


def later(frozen: Clock, years: float) -> None:
    frozen.advance(days=years * 365.25)


def codes() -> list[str]:
    return [family.code for family in gone(YEARS)]


def listed_on(family: Family, day: date) -> None:
    """A families file of that day lists the family."""
    Family.update(seen_on=day).where(Family.id == family.id).execute()


def test_a_family_gone_for_three_years_is_forgotten_and_the_books_are_whole(
    run: Run, whole_family: Family, frozen: Clock
) -> None:
    later(frozen, 2.9)
    assert run("forget", "--yes").output.find("F1001") == -1
    later(frozen, 0.2)
    result = run("forget", "--yes")
    assert "Parties depuis 3 ans : 1 famille (F1001)" in result.output
    held = dump()
    assert [name for name in NAMES if name in held] == []
    assert verification.faults() == []
    assert "oubliée (partie depuis 3 ans)" in run("forget", "--journal").output


def test_the_first_try_tells_the_same_and_changes_nothing(
    run: Run, whole_family: Family, frozen: Clock
) -> None:
    later(frozen, 3.1)
    before = fresh_databases.rows()
    told = run("forget")
    assert fresh_databases.rows() == before
    assert run("forget", "--dry-run").output == told.output
    assert sentences.NOTHING_DONE in told.output
    done = run("forget", "--yes").output.splitlines()
    assert len(done) >= 5
    assert set(done) <= set(told.output.splitlines())


def test_twice_is_silent_and_changes_nothing_more(
    run: Run, whole_family: Family, frozen: Clock
) -> None:
    later(frozen, 3.1)
    run("forget", "--yes")
    before = fresh_databases.rows()
    assert (run("forget", "--yes").output, fresh_databases.rows()) == ("", before)


def test_options_that_contradict_each_other_are_refused(run: Run, whole_family: Family) -> None:
    before = fresh_databases.rows()
    result = run("forget", "--yes", "--dry-run")
    assert (result.exit_code, fresh_databases.rows()) == (1, before)


@pytest.mark.parametrize("trace", ["invoice", "sign-in", "listed", "changed", "payment"])
def test_whatever_speaks_of_a_family_keeps_it(
    whole_family: Family, frozen: Clock, trace: str
) -> None:
    later(frozen, 3.1)
    assert codes() == ["F1001"]
    yesterday = frozen.at.date() - timedelta(days=1)
    if trace == "invoice":
        make_invoice(whole_family, "N1", issued_on=yesterday, state="cancelled")
    elif trace == "sign-in":
        sessions.start(Account.get())
    elif trace == "listed":
        listed_on(whole_family, yesterday)
    elif trace == "changed":
        Family.update(updated_on=yesterday).execute()
    else:
        Settlement.update(settled_at=frozen.at).execute()
    assert codes() == []


def test_a_family_listed_without_a_child_has_gone(alices_family: Family, frozen: Clock) -> None:
    later(frozen, 3.1)
    listed_on(alices_family, frozen.at.date())
    assert codes() == ["F1001"]


def test_a_sign_in_of_two_years_ago_is_known(alices_family: Family, frozen: Clock) -> None:
    account = choose_password(alices_family)
    later(frozen, 2)
    sessions.start(Account.get_by_id(account.id))
    later(frozen, 2.9)
    assert codes() == []
    later(frozen, 0.2)
    assert codes() == ["F1001"]


def test_a_family_that_owes_is_named_and_kept(
    run: Run, whole_family: Family, october: Invoice, frozen: Clock
) -> None:
    make_invoice(whole_family, "DUE-1")
    later(frozen, 3.1)
    result = run("forget", "--yes")
    assert "Famille F1001, partie mais gardée : 1 facture à régler" in result.output
    assert "Martin" in dump()


def test_an_old_credit_note_is_prescribed(run: Run, alices_family: Family, frozen: Clock) -> None:
    make_invoice(alices_family, "AVOIR-1", -1200, state="nothing_due")
    later(frozen, 3.5)
    assert "AVOIR-1" in run("forget", "--yes").output
    later(frozen, 1)
    assert "1 famille (F1001)" in run("forget", "--yes").output


def test_what_the_treasury_collects_keeps_the_family_until_it_is_prescribed(
    run: Run, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    transmit([october.number], "B-12", frozen.at.date(), "Dominique", "impayée")
    later(frozen, 3.5)
    assert october.number in run("forget", "--yes").output
    later(frozen, 1)
    assert "1 famille (F1001)" in run("forget", "--yes").output


def test_the_years_are_the_towns_to_choose(run: Run, alices_family: Family, frozen: Clock) -> None:
    path = Path(os.environ["KIOSQUE_CONFIG"])
    path.write_text(path.read_text("utf-8") + "\n[legal]\nforget_after_years = 1\n", "utf-8")
    later(frozen, 1.1)
    assert "Parties depuis 1 an : 1 famille (F1001)" in run("forget").output


def test_charlie_is_kept(
    run: Run, whole_family: Family, charlies_family: Family, frozen: Clock
) -> None:
    later(frozen, 3.1)
    make_invoice(charlies_family, "C1", issued_on=frozen.at.date())
    run("forget", "--yes")
    assert Family.get(Family.code == "F2002").name == "Petit"


def test_what_is_kept_for_a_time_only_goes_in_its_time(
    run: Run, whole_family: Family, frozen: Clock
) -> None:
    OutboxMail.update(state="sent", sent_at=frozen.at, recipient="").execute()
    frozen.advance(days=364)
    run("forget", "--yes")
    tables = (SecurityEvent, FamilyRequest, OutboxMail)
    assert all(table.select().exists() for table in tables)
    frozen.advance(days=2)
    said = run("forget", "--yes").output
    assert [table.select().count() for table in tables] == [0, 0, 0]
    for words in ("journal de sécurité", "Demandes de familles", "Traces de courriels"):
        assert words in said


def test_addresses_that_served_nothing_go_after_thirty_days(
    run: Run, whole_family: Family, frozen: Clock
) -> None:
    Attempt.update(receipt_email="reste@example.org").execute()
    frozen.advance(days=29)
    run("forget", "--yes")
    assert Attempt.get().receipt_email
    frozen.advance(days=2)
    run("forget", "--yes")
    assert Attempt.get().receipt_email is None
    assert {mail.recipient for mail in OutboxMail.select()} <= {"", "regie"}


def test_letters_and_exports_go_after_thirty_days(
    run: Run, whole_family: Family, settings: Settings, frozen: Clock
) -> None:
    folder = Path(run("export-family", "F1001").output.strip())
    letter = settings.data / "letters" / "lettres-2026-11-24.pdf"
    letter.parent.mkdir()
    letter.write_bytes(b"%PDF")
    upload = make_upload(settings)
    deposit = settings.data / "deposits" / upload.sha256
    for path in (folder, letter, deposit):
        os.utime(path, (frozen.at.timestamp(), frozen.at.timestamp()))
    run("forget", "--yes")
    assert (folder.exists(), letter.exists()) == (True, True)
    frozen.advance(days=31)
    run("forget")
    assert (folder.exists(), letter.exists()) == (True, True)
    assert deposit.exists()
    said = run("forget", "--yes").output
    assert "Lettres, exports et dépôts de plus de trente jours : 3" in said
    assert (folder.exists(), letter.exists(), deposit.exists()) == (False, False, False)
    assert Upload.select().count() == 0


def test_accounts_are_kept_ten_years_then_name_nobody(
    run: Run, whole_family: Family, settings: Settings, frozen: Clock
) -> None:
    paper = settings.data / "pdf" / "abc.pdf"
    told("VIR MARTIN")
    told("VIR PETIT")
    frozen.at = frozen.at.replace(year=2036, month=12)
    run("forget", "--yes")
    assert paper.exists()
    assert Family.get().code == "F1001"
    assert Settlement.select().where(Settlement.card_last4 != "").exists()
    frozen.at = frozen.at.replace(year=2037, month=1)
    said = run("forget", "--yes").output
    assert "Factures de plus de 10 ans, sans nom d’enfant ni PDF désormais : 2." in said
    assert "Lignes de relevé de plus de 10 ans, sans libellé désormais : 2." in said
    assert {line.label for line in StatementLine.select()} == {""}
    assert not paper.exists()
    assert Family.get().code == f"(oubliée {whole_family.id})"
    assert {invoice.children for invoice in Invoice.select()} == {""}
    assert {line.child for line in InvoiceLine.select()} == {""}
    assert not Settlement.select().where(Settlement.card_last4 != "").exists()
    assert verification.faults() == []
    assert run("forget", "--yes").output == ""


def test_old_accounts_of_a_family_that_is_there_lose_their_names_too(
    run: Run, whole_family: Family, frozen: Clock
) -> None:
    frozen.at = frozen.at.replace(year=2037, month=1)
    make_invoice(whole_family, "N1", issued_on=frozen.at.date(), state="cancelled")
    run("forget", "--yes")
    assert Family.get().name == "Martin"
    found = {invoice.number: invoice.children for invoice in Invoice.select()}
    assert found == {"2026-10-0001": "", "2026-09-0001": "", "N1": "Léa Martin"}


def test_one_that_fails_leaves_the_others_forgotten_and_itself_whole(
    run: Run,
    whole_family: Family,
    charlies_family: Family,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later(frozen, 3.1)
    note: Callable[..., None] = forgetting.acts.note

    def cut(kind: object, family: Family, **words: str) -> None:
        if family.code == "F2002":
            raise KeyboardInterrupt
        note(kind, family, **words)

    monkeypatch.setattr(forgetting.acts, "note", cut)
    run("forget", "--yes")
    assert Family.get(Family.code == "F1001").name == "M."
    assert Family.get(Family.code == "F2002").name == "Petit"


def test_the_twenty_ninth_of_february_has_its_day_in_every_year() -> None:
    assert years_before(date(2028, 2, 29), 3) == date(2025, 2, 28)
    assert years_before(date(2028, 2, 29), 4) == date(2024, 2, 29)

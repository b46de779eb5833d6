"""A family that asks for it is erased, once nothing is due; the accounts stay, and name nobody."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Attempt, Family, Invoice, InvoiceLine, JournalEntry, Receipt
from kiosque.db.states import AnomalyKind, RepaymentKind
from kiosque.mails.rendering import KINDS
from kiosque.papers import content
from kiosque.payments import verification
from kiosque.payments.anomalies import flag_anomaly
from kiosque.privacy.erasure import initials
from kiosque.privacy.mails import OBJECTS
from tests import fresh_databases, sentences
from tests.bank import notice
from tests.conftest import ISSUERS, dump, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.privacy.conftest import NAMES

PERSON = ("--author", "Dominique Aubry", "--reason", "courriel du 3 mars")
Pay = Callable[..., tuple[Attempt, Handoff]]


def refusal(run: Run, *options: str) -> str:
    """Ask to erase Alice's family, which is refused and changes nothing."""
    before = fresh_databases.rows()
    result = run("erase-family", "F1001", *PERSON, "--yes", *options)
    assert result.exit_code == 1
    assert result.output.startswith("Erreur : La famille F1001 ne peut pas être effacée.")
    assert fresh_databases.rows() == before
    return result.output


def test_nothing_names_an_erased_family_and_the_books_are_whole(
    run: Run, whole_family: Family
) -> None:
    before = {
        table: fresh_databases.rows()[table] for table in ("journal_entry", "receipt", "fact")
    }
    assert all(name in dump() for name in NAMES)
    result = run("erase-family", " f 1001 ", *PERSON, "--yes")
    assert result.exit_code == 0, result.output
    held = dump()
    assert [name for name in NAMES if name in held] == []
    assert {table: fresh_databases.rows()[table] for table in before} == before
    assert verification.faults() == []
    assert run("verify").exit_code == 0
    invoices = Invoice.select().where(Invoice.family == whole_family)
    assert {each.children for each in invoices} == {"L. M."}
    assert {each.child for each in InvoiceLine.select()} == {"L. M."}
    assert Family.get(Family.code == "F1001").name == "M."


def test_what_people_wrote_in_the_accounts_stays_and_is_told(
    run: Run, whole_family: Family
) -> None:
    """A word that merely begins as a name is none."""
    for invoice, words in zip(
        Invoice.select().order_by(Invoice.id), ("chèque de Mme MARTIN", "vu martinet"), strict=True
    ):
        Invoice.update(state_reason=words).where(Invoice.id == invoice.id).execute()
    for options in ((), ("--yes",)):
        said = run("erase-family", "F1001", *PERSON, *options).output
        assert "chèque de Mme MARTIN" in said
        assert "martinet" not in said
    assert "chèque de Mme MARTIN" in dump()


def test_the_erasure_is_remembered_with_its_author_and_never_again_changed(
    run: Run, whole_family: Family
) -> None:
    run("erase-family", "F1001", *PERSON, "--yes")
    said = run("forget", "--journal").output
    assert "F1001  effacée à sa demande (Dominique Aubry : courriel du 3 mars)" in said
    for statement in ("UPDATE privacy_act SET author = ''", "DELETE FROM privacy_act"):
        with pytest.raises(Exception, match="append-only"), write():
            fresh_databases.database.execute_sql(statement)


def test_without_yes_nothing_is_done(run: Run, whole_family: Family) -> None:
    before = fresh_databases.rows()
    result = run("erase-family", "F1001", *PERSON)
    assert (result.exit_code, fresh_databases.rows()) == (1, before)
    assert sentences.NOTHING_DONE in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("F1001", "--author", " ", "--reason", "x", "--yes"),
        ("F1001", "--author", "Dominique", "--yes"),
        ("F9999", *PERSON, "--yes"),
        ("F1001", "F2002", *PERSON, "--yes"),
        ("' OR 1=1 --", *PERSON, "--yes"),
        ("F1001\0", *PERSON, "--yes"),
        ("\ud800", *PERSON, "--yes"),
        ("é" * 5000, *PERSON, "--yes"),
    ],
)
def test_what_makes_no_sense_is_said_in_french_and_changes_nothing(
    run: Run, whole_family: Family, charlies_family: Family, arguments: tuple[str, ...]
) -> None:
    before = fresh_databases.rows()
    result = run("erase-family", *arguments)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert "Erreur" in result.output
    assert fresh_databases.rows() == before


def test_twice_is_said_and_changes_nothing(run: Run, whole_family: Family) -> None:
    run("erase-family", "F1001", *PERSON, "--yes")
    before = fresh_databases.rows()
    result = run("erase-family", "F1001", *PERSON, "--yes")
    assert (result.exit_code, fresh_databases.rows()) == (1, before)
    assert "oubliée depuis" in result.output


def test_an_invoice_to_pay_keeps_the_family(run: Run, whole_family: Family) -> None:
    make_invoice(whole_family, "2027-01-0001")
    assert "1 facture à régler" in refusal(run)


def test_a_payment_at_the_bank_keeps_the_family(run: Run, whole_family: Family, pay: Pay) -> None:
    pay(whole_family, make_invoice(whole_family, "2027-01-0001"))
    assert "1 paiement dont la banque n’a pas tout dit" in refusal(run)


def test_money_that_came_twice_keeps_the_family_until_it_is_given_back(
    run: Run, alices_family: Family, october: Invoice, pay: Pay, gateway: Gateway
) -> None:
    _, handoff = pay(alices_family, october)
    for uuid in "ab":
        said = Callback.of_form(notice(handoff, trans_uuid=uuid * 32).items())
        payments.record("banque", gateway.read_notification(said), ISSUERS)
    said = refusal(run)
    assert "45,20\u00a0€ à rendre" in said
    assert "1 point à traiter" in said


def test_a_credit_note_keeps_the_family_until_somebody_says_it_is_settled(
    run: Run, whole_family: Family
) -> None:
    make_invoice(whole_family, "AVOIR-1", -1200, state="nothing_due")
    assert "1 avoir dont le site ignore l’emploi (AVOIR-1)" in refusal(run)
    result = run("erase-family", "F1001", *PERSON, "--yes", "--credit-notes-settled")
    assert result.exit_code == 0


def test_a_credit_note_that_paid_all_it_was_worth_keeps_nobody(
    run: Run, whole_family: Family
) -> None:
    make_invoice(whole_family, "DUE-1", 1200)
    make_invoice(whole_family, "AVOIR-1", -1200, state="nothing_due")
    payments.apply_credit("AVOIR-1", "DUE-1", None, "Dominique", "accord")
    assert run("erase-family", "F1001", *PERSON, "--yes").exit_code == 0


def test_a_point_to_look_at_keeps_the_family(run: Run, whole_family: Family) -> None:
    with write():
        flag_anomaly("x", AnomalyKind.SILENT, 100, "", attempt=Attempt.get())
    assert "1 point à traiter" in refusal(run)


def test_alices_page_and_password_are_no_more_and_charlies_are(
    run: Run, alice: FlaskClient, charlie: FlaskClient
) -> None:
    assert alice.get("/famille").status_code == 200
    assert run("erase-family", "F1001", *PERSON, "--yes").exit_code == 0
    assert alice.get("/famille").status_code == 302
    assert charlie.get("/famille").status_code == 200


def test_no_letter_nor_password_opens_an_erased_family_again(
    run: Run, whole_family: Family
) -> None:
    run("erase-family", "F1001", *PERSON, "--yes")
    before = fresh_databases.rows()
    for command in ("letters", "password"):
        result = run(command, "F1001")
        assert (result.exit_code, "Famille oubliée" in result.output) == (1, True)
        assert "F1001" not in run(command, "--all").output
    assert fresh_databases.rows() == before


def test_its_papers_are_kept_and_the_site_still_makes_its_receipt(
    run: Run, whole_family: Family
) -> None:
    run("erase-family", "F1001", *PERSON, "--yes")
    assert Invoice.get(Invoice.number == "2026-10-0001").pdf_name == "abc.pdf"
    assert content.receipt_document(Receipt.get())


def test_a_bank_that_undoes_its_debit_later_is_still_heard(
    run: Run, whole_family: Family, gateway: Gateway
) -> None:
    entries = JournalEntry.select().count()
    run("erase-family", "F1001", *PERSON, "--yes")
    receipt = Receipt.get()
    payments.record_repayment(
        receipt.settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "carte contestée"
    )
    assert JournalEntry.select().count() > entries
    assert verification.faults() == []


def test_a_mail_of_every_kind_is_known_to_be_of_a_family_or_of_none() -> None:
    assert set(OBJECTS) | {"anomaly", "staff_invitation"} == set(KINDS)


@pytest.mark.parametrize(
    ("names", "reduced"),
    [
        ("Martin", "M."), ("Martin - Le Goff", "M. - L. G."), ("", ""),
        ("Léa Martin, Élie Petit", "L. M., É. P."), ("M. - L. G.", "M. - L. G."),
        ("jean-paul d’Arc", "J. D."),
    ],
)  # fmt: skip
def test_a_name_is_reduced_to_its_initials_once(names: str, reduced: str) -> None:
    assert initials(names) == reduced
    assert initials(initials(names)) == reduced

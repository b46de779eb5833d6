"""`verify` names whatever is wrong in the database: each kind of damage is done, and must be
seen."""

from collections.abc import Callable

import pytest

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.db import database, write
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.db.states import RepaymentKind
from kiosque.payments import CounterPayment, journal, verification
from kiosque.privacy.dues import dues
from kiosque.privacy.erasure import reduce
from tests import fresh_databases
from tests.bank import notice
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, make_invoice
from tests.kiosque.payments.conftest import CREDIT

Pay = Callable[..., tuple[Attempt, Handoff]]


@pytest.fixture
def books(pay: Pay, gateway: Gateway, alices_family: Family, charlies_family: Family) -> None:
    """Alice paid one invoice online, twice; one at the counter; a third payment was given back
    in part, a fourth wholly; the next invoice is still open; of the last, another amount was
    debited, and the bank tells of two refunds, of it and of nothing known."""
    invoices = [make_invoice(alices_family, f"N{number}", 1000 + number) for number in range(5)]
    _, handoff = pay(alices_family, invoices[0])
    for uuid in "ab":
        hear(gateway, handoff, trans_uuid=uuid * 32)
    payments.settle_at_counter(
        [CounterPayment("N1", 1001, "cheque", NOW.date(), "Dominique", "chèque 1")]
    )
    for uuid, invoice in zip("cd", invoices[2:4], strict=True):
        hear(gateway, pay(alices_family, invoice)[1], trans_uuid=uuid * 32)
    for number, cents in (("N2", 300), ("N3", None)):
        settlement = payments.find_settlement(number)
        payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Dominique", "virement")
    pay(alices_family, invoices[4])
    _, handoff = pay(alices_family, make_invoice(alices_family, "N5", 1005))
    hear(gateway, handoff, trans_uuid="f" * 32, amount="1000", effective_amount="1000")
    for uuid, cents in (("9", "100"), ("e", "5000")):
        amounts = {"amount": cents, "effective_amount": cents}
        hear(gateway, handoff, **{**CREDIT, **amounts, "trans_uuid": uuid * 32})


def hear(gateway: Gateway, handoff: Handoff, **changes: str) -> None:
    fields = notice(handoff, **changes)
    payments.record(
        gateway.name, gateway.read_notification(Callback.of_form(fields.items())), ISSUERS
    )


def test_sound_books_have_no_fault(books: None) -> None:
    assert verification.faults() == []


DAMAGES = {
    "paid without money": ("UPDATE invoice SET state = 'paid' WHERE number = 'N4'", "facture N4"),
    "money but not paid": ("UPDATE invoice SET state = 'open' WHERE number = 'N1'", "facture N1"),
    "cancelled though paid": (
        "UPDATE invoice SET state = 'cancelled' WHERE number = 'N0'",
        "facture N0 : annulée",
    ),
    "a state that is none": (
        "UPDATE invoice SET state = 'mangled' WHERE number = 'N0'",
        "facture N0 : mangled",
    ),
    "another total": ("UPDATE invoice SET total_cents = 1 WHERE number = 'N0'", "facture N0"),
    "no author": ("UPDATE settlement SET author = '' WHERE attempt_id IS NULL", "sans débit"),
    "no verified debit": (
        "UPDATE settlement SET transaction_id = 'x' WHERE id = 1",
        "encaissement 1 : sans débit vérifié",
    ),
    "a debit of another amount": (
        "UPDATE fact SET amount_cents = 1 WHERE state = 'paid' AND transaction_id LIKE 'c%'",
        "sans débit vérifié",
    ),
    "another family's": ("UPDATE settlement SET family_id = 99 WHERE id = 1", "sans débit"),
    "another gateway's": ("UPDATE settlement SET gateway = 'x' WHERE id = 1", "sans débit"),
    "not the amount awaited": (
        "UPDATE attempt SET amount_cents = 1 WHERE id = 1",
        "sans être du montant attendu",
    ),
    "a debit nowhere": ("DELETE FROM settlement WHERE id = 1", "n’est pas dans les comptes"),
    "a part lost": ("DELETE FROM allocation WHERE id = 1", "encaissement 1 : ses parts"),
    "a part of another amount": (
        "UPDATE allocation SET amount_cents = 1 WHERE id = 2",
        "encaissement 2 : ses parts",
    ),
    "a part that no longer counts": (
        "UPDATE allocation SET counts = 0 WHERE id = 2",
        "encaissement 2 : ses parts",
    ),
    "money gone unexplained": (
        "UPDATE settlement SET returned_cents = 5 WHERE id = 1",
        "encaissement 1 : ce qui en a été rendu",
    ),
    "a repayment lost": ("DELETE FROM repayment WHERE id = 1", "ce qui en a été rendu"),
    "counted though gone": (
        "UPDATE settlement SET state = 'counted' WHERE state = 'refunded'",
        "ce qui en a été rendu",
    ),
    "came twice, never told": ("DELETE FROM anomaly WHERE kind = 'overpayment'", "jamais signalé"),
    "a receipt lost": ("DELETE FROM receipt WHERE number = 2", "reçus : 3 reçus"),
    "a receipt of another régie's": (
        "UPDATE receipt SET sequence = 'creche', number = 1 WHERE number = 4",
        "reçu 1 : numéroté dans la suite d’une autre régie",
    ),
    "a receipt of nothing": (
        "UPDATE receipt SET settlement_id = 3 WHERE number = 1",
        "encaissement 1 : sans reçu",
    ),
    "a state unexplained": (
        "UPDATE attempt SET state = 'paid' WHERE state = 'handed_off'",
        "son état « débit » ne s’explique pas",
    ),
    "a state that means nothing": (
        "UPDATE attempt SET state = 'mangled' WHERE id = 1",
        "son état « mangled » ne s’explique pas",
    ),
    "no fact": ("DELETE FROM fact WHERE attempt_id = 4", "ne s’explique pas"),
    "no fact, after one in the same state": (
        "DELETE FROM fact WHERE attempt_id = 2",
        "son état « débit » ne s’explique pas",
    ),
    "a journal that says other": (
        "UPDATE journal_entry SET credit = 'invoices' WHERE credit = 'overpayments'",
        "le journal ne dit pas",
    ),
    "an entry lost": ("DELETE FROM journal_entry WHERE number = 2", "écriture 2 : absente"),
    "an entry altered": ("UPDATE journal_entry SET amount_cents = 1 WHERE number = 1", "altéré"),
    "an entry without a side": (
        "UPDATE journal_entry SET debit = credit WHERE number = 1",
        "écriture 1 : son débit n’est pas son crédit",
    ),
    "an entry that takes back none": (
        "UPDATE journal_entry SET corrects = 1 WHERE number = 3",
        "écriture 3 : ce qui la corrige",
    ),
    "an entry taken back twice": (
        "UPDATE journal_entry SET corrects = 2 WHERE number = 1",
        "écriture 1 : ce qui la corrige",
    ),
    "the last entry lost": (
        "DELETE FROM journal_entry WHERE number = (SELECT MAX(number) FROM journal_entry)",
        "le journal ne dit pas",
    ),
    "refunded, though its money is there": (
        "UPDATE attempt SET state = 'refunded' WHERE id = 1",
        "état « remboursement », ses encaissements disent autre chose",
    ),
    "paid, though its money has left": (
        "UPDATE attempt SET state = 'paid' WHERE id = 3",
        "état « débit », ses encaissements disent autre chose",
    ),
    "paid by money of no use": (
        "UPDATE allocation SET kind = 'unmatched' WHERE settlement_id = 4",
        "état « débit », ses encaissements disent autre chose",
    ),
    "refused, though its money is there": (
        "UPDATE attempt SET state = 'refused' WHERE id = 5",
        "état « refusé », ses encaissements disent autre chose",
    ),
    "refunded, though nothing was": (
        "UPDATE attempt SET state = 'refunded' WHERE id = 4",
        "état « remboursement », ses encaissements disent autre chose",
    ),
    "held by a payment that is decided": (
        "UPDATE attempt_item SET live = 1 WHERE attempt_id = 1",
        "état « débit », il retient encore une facture",
    ),
    "of no use, never told": (
        "DELETE FROM anomaly WHERE kind = 'mismatch'",
        "encaissement 6 : argent sans emploi jamais signalé",
    ),
    "a refund of nothing, never told": (
        "DELETE FROM anomaly WHERE kind = 'unmatched_refund'",
        f"remboursement {'e' * 32} à rapprocher, jamais signalé",
    ),
    "gone by itself, never told": (
        "DELETE FROM anomaly WHERE kind = 'partial_refund'",
        "encaissement 6 : argent reparti, jamais signalé",
    ),
    "an open invoice of another total": (
        "UPDATE invoice SET total_cents = 1 WHERE number = 'N4'",
        "facture N4 : total de 0,01",
    ),
    "a paid invoice whose lines changed": (
        "UPDATE invoice_line SET amount_cents = 7 WHERE id = 1",
        "facture N0 : total de 10,00",
    ),
    "an invoice without its lines": ("DELETE FROM invoice_line WHERE id = 5", "facture N4"),
    "a payment of another amount than its invoices": (
        "UPDATE attempt SET amount_cents = 1 WHERE id = 1",
        "son montant n’est pas celui de ses factures",
    ),
    "a total changed while it is at the bank": (
        "UPDATE invoice SET total_cents = 1 WHERE number = 'N4'",
        "la facture N4 a changé de total depuis son ouverture",
    ),
    "another family's money at the counter": (
        "UPDATE settlement SET family_id = 2 WHERE attempt_id IS NULL",
        "il paie la facture d’une autre famille",
    ),
    "another family's invoice at the bank": (
        "UPDATE attempt SET family_id = 2 WHERE id = 4",
        "une de ses factures est d’une autre famille",
    ),
    "a question nobody asks": (
        "UPDATE attempt SET ask_at = '2026-11-24T00:00:00.000000Z' WHERE id = 4",
        "« reconcile »",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_named(books: None, name: str) -> None:
    sql, expected = DAMAGES[name]
    fresh_databases.damage(sql)
    faults = verification.faults()
    assert any(expected in fault for fault in faults), faults


def test_what_is_left_of_an_invoice_may_be_at_the_bank(
    gateway: Gateway, alices_family: Family
) -> None:
    make_invoice(alices_family, "N0", 1000)
    payments.settle_at_counter(
        [CounterPayment("N0", 300, "cesu", NOW.date(), "Dominique", "tickets")]
    )
    payments.start(payments.Purchase(alices_family, ["N0"], 700), gateway, PUBLIC_URL)
    assert verification.faults() == []
    fresh_databases.damage("UPDATE invoice SET total_cents = 690 WHERE number = 'N0'")
    assert any("a changé de total" in fault for fault in verification.faults())


@pytest.fixture
def doubts(pay: Pay, gateway: Gateway, alices_family: Family) -> None:
    """Alice was debited twice by one payment, and the bank gave back a part of either; of another
    debit, the town gave back a part before the bank undid it all."""
    _, handoff = pay(alices_family, make_invoice(alices_family, "N0", 1000))
    for uuid in "ab":
        hear(gateway, handoff, trans_uuid=uuid * 32)
    amounts = {"amount": "300", "effective_amount": "300"}
    hear(gateway, handoff, **{**CREDIT, **amounts, "trans_uuid": "e" * 32})
    _, handoff = pay(alices_family, make_invoice(alices_family, "N1", 1001))
    hear(gateway, handoff, trans_uuid="c" * 32)
    payments.record_repayment(
        payments.find_settlement("N1"), RepaymentKind.REFUND, 300, "Dominique", "virement"
    )
    hear(gateway, handoff, trans_uuid="c" * 32, trans_status="CANCELLED")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("guessed_refund", "remboursement d’un débit deviné"), ("given_twice", "rendu deux fois")],
)
def test_a_doubt_never_told_is_named(doubts: None, kind: str, expected: str) -> None:
    assert verification.faults() == []
    fresh_databases.damage(f"DELETE FROM anomaly WHERE kind = '{kind}'")
    (fault,) = verification.faults()
    assert fault.endswith(f"{expected}, jamais signalé")


def test_verifying_changes_nothing(books: None) -> None:
    before = fresh_databases.rows()
    verification.faults()
    assert fresh_databases.rows() == before


def test_the_end_of_the_journal_can_be_noted_elsewhere(books: None) -> None:
    number, fingerprint = journal.last()
    entry = list(database.execute_sql("SELECT number, hash FROM journal_entry ORDER BY number"))[-1]
    assert (number, fingerprint) == tuple(entry)


def test_each_check_reads_the_database_a_fixed_number_of_times(
    books: None, alices_family: Family, pay: Pay, gateway: Gateway, queries: list[str]
) -> None:
    verification.faults()
    asked = len(queries)
    for number in range(5):
        invoice = make_invoice(alices_family, f"M{number}")
        hear(gateway, pay(alices_family, invoice)[1], trans_uuid=f"{number}" * 32)
    queries.clear()
    verification.faults()
    assert len(queries) == asked
    assert Invoice.select().count() == 11


def test_the_books_of_a_family_reduced_to_its_initials_are_as_whole(
    books: None, alices_family: Family
) -> None:
    before = {
        name: fresh_databases.rows()[name] for name in ("allocation", "settlement", "journal_entry")
    }
    with write():
        reduce(alices_family)
    assert verification.faults() == []
    assert {name: fresh_databases.rows()[name] for name in before} == before


def test_all_that_is_due_of_a_family_is_said_before_it_is_erased(
    books: None, alices_family: Family
) -> None:
    said = " ; ".join(dues(alices_family))
    for due in ("à régler", "n’a pas tout dit", "à rendre ou à employer", "à traiter"):
        assert due in said, due

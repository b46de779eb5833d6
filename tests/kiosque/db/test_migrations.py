"""A database of an earlier version becomes one of today's, and its books are as sound as before."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from peewee import IntegrityError

from kiosque import db, deposits, payments
from kiosque.closings import closed_state, closing
from kiosque.closings.closing import Request
from kiosque.closings.months import Month, last_number
from kiosque.db import database
from kiosque.db.models import (
    Account,
    Allocation,
    Attempt,
    BankMessage,
    Child,
    Enrolment,
    Fact,
    Family,
    Invoice,
    InvoiceLine,
    JournalEntry,
    Receipt,
    Repayment,
    Revenue,
    Service,
    Settlement,
    Token,
)
from kiosque.language import clock
from kiosque.papers.deposits import bordereau
from kiosque.payments import BankPayment, journal, verification
from kiosque.payments.receipts import issue_receipt
from kiosque.settings import Settings
from kiosque.statements import matching
from tests import fresh_databases
from tests.conftest import ISSUERS, NOW, make_family, make_invoice
from tests.kiosque.deposits.conftest import MEALS
from tests.kiosque.payments.conftest import at_counter
from tests.kiosque.statements import books

#: Before repayments: a payment cancelled, one refunded at the bank, one that stands; as the
#: version of then wrote them.
EARLIER = """
INSERT INTO family (id, code, name, address, postcode, city, updated_on, digest)
    VALUES (1, 'F1001', 'Martin', '', '', '', '2026-11-05', '');
INSERT INTO import_batch VALUES (1, 'a.csv', '', 'factures', 3, 3, '2026-11-05T00:00:00.000000Z');
INSERT INTO invoice VALUES
    (1, 'A', 1, 1, '2026-11-05', '2026-11-30', NULL, '', '', '', 1000, 'open', '', '', ''),
    (2, 'B', 1, 1, '2026-11-05', '2026-11-30', NULL, '', '', '', 2000, 'open', '', '', ''),
    (3, 'C', 1, 1, '2026-11-05', '2026-11-30', NULL, '', '', '', 3000, 'paid', '', '', '');
INSERT INTO attempt VALUES
    (1, 'KF1', 1, 'banque', '2026-11-06T10:00:00.000000Z', '20261106', 1, 'r1', 1000, 'reversed',
        '2026-11-06T10:15:00.000000Z', NULL),
    (2, 'KF2', 1, 'banque', '2026-11-06T10:00:00.000000Z', '20261106', 2, 'r2', 2000, 'refunded',
        '2026-11-06T10:15:00.000000Z', NULL),
    (3, 'KF3', 1, 'banque', '2026-11-06T10:00:00.000000Z', '20261106', 3, 'r3', 3000, 'paid',
        '2026-11-06T10:15:00.000000Z', NULL);
INSERT INTO service (id, name) VALUES (9, 'Cantine');
INSERT INTO invoice_line VALUES
    (7, 1, '', 9, '', 100, 1000, 1000), (8, 2, '', 9, '', 100, 2000, 2000),
    (9, 3, '', 9, '', 100, 3000, 3000);
INSERT INTO attempt_item VALUES (1, 1, 1, 1000, 0), (2, 2, 2, 2000, 0), (3, 3, 3, 3000, 0);
INSERT INTO fact (attempt_id, at, transaction_id, state, status, amount_cents, source) VALUES
    (1, '2026-11-06T10:00:00.000000Z', 'u1', 'paid', 'DEBIT AUTHORISED', 1000, 'banque'),
    (1, '2026-11-07T10:00:00.000000Z', 'u1', 'reversed', 'DEBIT CANCELLED', 1000, 'banque'),
    (2, '2026-11-06T10:00:00.000000Z', 'u2', 'paid', 'DEBIT AUTHORISED', 2000, 'banque'),
    (2, '2026-11-07T10:00:00.000000Z', 'c2', 'refunded', 'CREDIT AUTHORISED', 2000, 'banque'),
    (2, '2026-11-07T10:00:00.000000Z', 'u2', 'refunded', 'refunded by c2', 2000, 'banque'),
    (3, '2026-11-06T10:00:00.000000Z', 'u3', 'paid', 'DEBIT CAPTURED', 3000, 'banque');
INSERT INTO settlement VALUES
    (1, 1, 1, 'banque', 'u1', 'card', 1000, '2026-11-06T10:00:00.000000Z', 'reversed', '', '',
        '', '', ''),
    (2, 2, 1, 'banque', 'u2', 'card', 2000, '2026-11-06T10:00:00.000000Z', 'refunded', '', '',
        '', '', ''),
    (3, 3, 1, 'banque', 'u3', 'card', 3000, '2026-11-06T10:00:00.000000Z', 'counted', '', '',
        '', '', '');
INSERT INTO allocation VALUES
    (1, 1, 1, 'invoice', 1000, 0), (2, 2, 2, 'invoice', 2000, 0), (3, 3, 3, 'invoice', 3000, 1);
INSERT INTO receipt (number, settlement_id, issued_at) VALUES
    (1, 1, '2026-11-06T10:00:00.000000Z'), (2, 2, '2026-11-06T10:00:00.000000Z'),
    (3, 3, '2026-11-06T10:00:00.000000Z')
"""
MOVES = (
    (1, "bank:banque", "invoices", 1000),
    (2, "bank:banque", "invoices", 2000),
    (3, "bank:banque", "invoices", 3000),
    (1, "invoices", "bank:banque", 1000),
    (2, "invoices", "bank:banque", 2000),
)


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[None]:
    with fresh_databases.bare(tmp_path) as location, db.elsewhere(location):
        db.migrate("0006_mails")
        for statement in EARLIER.split(";"):
            database.execute_sql(statement)
        write_journal_of_then()
        yield


def write_journal_of_then() -> None:
    """As the first release did."""
    previous = journal.GENESIS
    for number, (settlement, debit, credit, cents) in enumerate(MOVES, 1):
        at = f"2026-11-06T10:00:0{number}"
        content = [number, f"{at}.000000+00:00", settlement, "avant", debit, credit, cents]
        text = json.dumps([*content, previous], ensure_ascii=False, separators=(",", ":"))
        found = hashlib.sha256(text.encode()).hexdigest()
        row = f"{number}, '{at}.000000Z', {settlement}, 'avant', '{debit}', '{credit}', {cents}"
        database.execute_sql(f"INSERT INTO journal_entry VALUES ({row}, '{previous}', '{found}')")
        previous = found


def test_the_journal_of_the_first_release_is_the_same_byte_for_byte(earlier: None) -> None:
    columns = "number, at, settlement_id, label, debit, credit, amount_cents, previous_hash, hash"
    query = f"SELECT {columns} FROM journal_entry ORDER BY number"
    before = database.execute_sql(query).fetchall()
    assert db.migrate()
    assert database.execute_sql(query).fetchall() == before
    assert journal.verify() == []
    assert {entry.version for entry in JournalEntry.select()} == {1}
    assert [(it.settlement_id, it.amount_cents) for it in Revenue.select()] == [(3, 3000)]


def test_the_money_of_the_first_release_is_paid_over_and_its_month_closed(
    earlier: None, settings: Settings
) -> None:
    assert db.migrate()
    on = date(2026, 11, 9)
    told = [books.movement(on, 3000, "KF3"), books.movement(on, 2000, "KF2")]
    told.append(books.movement(on, -2000, "REMBOURSEMENT KF2"))
    end = date(2026, 11, 30)
    books.load(books.statement(books.period(told, 500, since=date(2026, 10, 31), until=end)))
    matching.match_all("")
    deposits.set_imputation("", "Cantine", MEALS, "Dominique")
    with clock.held_at(datetime(2026, 12, 2, 9, tzinfo=UTC)):
        up_to = last_number(Month(2026, 11))
        agreed = deposits.draft("", up_to).fingerprint
        made = deposits.finalize(settings, "", up_to, "Dominique", agreed, bordereau)
        closed = closing.close("", Month(2026, 11), Request("Dominique"))
    assert (made.amount_cents, closed_state.position_of(closed).gap_cents) == (3000, 0)
    assert journal.verify() == verification.faults() == []
    assert {entry.version for entry in JournalEntry.select()} == {1, journal.VERSION}


def test_money_that_had_left_before_there_were_repayments_is_one_now(earlier: None) -> None:
    assert db.migrate()
    assert verification.faults() == []
    found = [(r.settlement_id, r.kind, r.transaction_id) for r in Repayment.select()]
    assert found == [(1, "reversal", None), (2, "refund", "c2")]
    assert [s.returned_cents for s in Settlement.select().order_by(Settlement.id)] == [
        1000,
        2000,
        0,
    ]
    assert db.migrate() == []


EARLIER_AT = "2026-11-06T10:00:00.000000Z"
MESSAGES = [
    # verdict, accepted, fields; then verdict, detail and key since.
    ("enregistré", 1, '{"clé": "clé en service", "vads_amount": "1"}', "recorded", "", "current"),
    ("déjà connu", 1, '{"clé": "ancienne clé"}', "known", "", "previous"),
    ("à confirmer par la banque", 1, "{}", "to_confirm", "", None),
    ("commande inconnue", 1, '{"vads_x": "ancienne clé"}', "unknown_order", "", None),
    ("remboursement à rapprocher", 1, "{}", "unmatched_refund", "", None),
    ("montant inattendu", 1, "{}", "mismatch", "montant inattendu", None),
    ("signature fausse", 0, '{"champs": "ancienne clé"}', "rejected", "signature fausse", None),
    ("enregistré", 0, '{"clé": "ancienne clé"}', "rejected", "enregistré", None),
]


def test_a_banks_message_keeps_its_row_and_the_key_that_is_known_to_have_signed_it(
    earlier: None,
) -> None:
    for verdict, accepted, fields, *_ in MESSAGES:
        row = f"'{EARLIER_AT}', 'banque', {accepted}, '{verdict}', 'KF1', '{fields}'"
        columns = "received_at, gateway, accepted, verdict, reference, fields"
        database.execute_sql(f"INSERT INTO notice ({columns}) VALUES ({row})")
    db.migrate()
    rows = BankMessage.select().order_by(BankMessage.id)
    assert [
        (row.accepted, row.fields, row.verdict, row.detail, row.signing_key) for row in rows
    ] == [(bool(accepted), fields, *since) for _, accepted, fields, *since in MESSAGES]
    for action in ("UPDATE bank_message SET detail = 'x'", "DELETE FROM bank_message"):
        with pytest.raises(IntegrityError, match="bank_message is append-only"):
            database.execute_sql(action)


SOURCES = [
    ("portail", "created", "", "portal", ""),
    ("banque", "pending", "DEBIT AUTHORISED montant inattendu", "bank",
     "DEBIT AUTHORISED unexpected amount"),
    ("banque", "paid", "DEBIT CAPTURED", "bank", "DEBIT CAPTURED"),
    ("banque interrogée", "expired", "", "bank_asked", ""),
    ("délai dépassé", "expired", "x", "timeout", "x"),
    ("régisseur", "expired", "Dominique : vu", "regisseur", "Dominique : vu"),
    ("banque injoignable", "cancelled", "", "bank_unreachable", ""),
    ("adresse refusée", "cancelled", "y", "email_refused", "y"),
]  # fmt: skip


def test_who_said_each_fact_is_a_word_of_the_machines(earlier: None) -> None:
    for number, (source, state, status, *_) in enumerate(SOURCES):
        row = f"1, '{EARLIER_AT}', 'n{number}', '{state}', '{status}', 0, '{source}'"
        columns = "attempt_id, at, transaction_id, state, status, amount_cents, source"
        database.execute_sql(f"INSERT INTO fact ({columns}) VALUES ({row})")
    last = journal.last()
    db.migrate()
    rows = Fact.select().where(Fact.transaction_id.startswith("n")).order_by(Fact.id)
    assert [(row.state, row.source, row.status) for row in rows] == [
        (state, *since) for _, state, _, *since in SOURCES
    ]
    assert (journal.last(), journal.verify()) == (last, [])
    for action in ("UPDATE fact SET source = 'x'", "DELETE FROM fact"):
        with pytest.raises(IntegrityError, match="fact is append-only"):
            database.execute_sql(action)


SPELT_IN_MANY_WAYS = """
DELETE FROM invoice_line WHERE id = 7;
INSERT INTO service (id, name) VALUES
    (1, 'Multi-accueil'), (2, 'MULTI ACCUEIL'), (3, 'Restauration');
INSERT INTO invoice_line VALUES
    (1, 1, 'Zoé Martin', 1, 'Heures', 100, 400, 400),
    (2, 1, 'ZOE MARTIN', 2, 'Heures', 100, 600, 600);
INSERT INTO child (id, family_id, name, born_on) VALUES
    (1, 1, 'ZOE MARTIN', NULL), (2, 1, 'Zoé Martin', '2023-01-01'), (3, 1, 'Léa Martin', NULL);
INSERT INTO enrolment (child_id, service_id) VALUES (1, 1), (1, 3), (2, 2), (3, 2), (3, 1)
"""


def test_services_and_children_spelt_in_many_ways_become_one_and_no_amount_changes(
    earlier: None,
) -> None:
    for statement in SPELT_IN_MANY_WAYS.split(";"):
        database.execute_sql(statement)
    db.migrate()
    services = [(each.id, each.name, each.key) for each in Service.select().order_by(Service.id)]
    assert services[:2] == [
        (1, "Multi-accueil", "multiaccueil"),
        (3, "Restauration", "restauration"),
    ]
    of_a = InvoiceLine.select().where(InvoiceLine.invoice == 1).order_by(InvoiceLine.id)
    lines = [(line.service_id, line.amount_cents) for line in of_a]
    assert lines == [(1, 400), (1, 600)]
    assert [child.name for child in Child.select().order_by(Child.id)] == [
        "Zoé Martin",
        "Léa Martin",
    ]
    enrolments = {(each.child_id, each.service_id) for each in Enrolment.select()}
    assert enrolments == {(2, 1), (2, 3), (3, 1)}
    assert verification.faults() == []


#: Payments called refunded for a refund that no debit was known of, and one for its debit's name.
REFUNDED_BY_WORD = """
INSERT INTO attempt VALUES
    (4, 'KF4', 1, 'banque', '2026-11-06T10:00:00.000000Z', '20261106', 4, 'r4', 1000, 'refunded',
        '2026-11-06T10:15:00.000000Z', NULL);
INSERT INTO fact (attempt_id, at, transaction_id, state, status, amount_cents, source) VALUES
    (4, '2026-11-06T10:00:00.000000Z', '', 'created', '', 0, 'portail'),
    (4, '2026-11-06T10:00:00.000000Z', '', 'handed_off', '', 0, 'portail'),
    (4, '2026-11-06T10:00:00.000000Z', 'c4', 'refunded', 'CREDIT CAPTURED', 1000, 'banque'),
    (3, '2026-11-06T10:00:00.000000Z', 'u3', 'refunded', 'CREDIT CAPTURED', 3000, 'banque');
UPDATE attempt SET state = 'refunded' WHERE id = 3
"""


def test_a_payment_refunded_by_a_banks_word_alone_is_what_its_money_says(earlier: None) -> None:
    for statement in REFUNDED_BY_WORD.split(";"):
        database.execute_sql(statement)
    db.migrate()
    states = [each.state for each in Attempt.select().order_by(Attempt.id)]
    assert states == ["reversed", "refunded", "paid", "handed_off"]
    assert sorted(fault.split(" à ")[0] for fault in verification.faults()) == [
        "paiement KF3 : remboursement u3",
        "paiement KF4 : remboursement c4",
    ]


def test_receipts_keep_their_numbers_and_the_first_regie_their_sequence(earlier: None) -> None:
    db.migrate("0009_regies")
    database.execute_sql("UPDATE settlement SET regie = 'creche' WHERE id = 2")
    db.migrate()
    receipts = Receipt.select().order_by(Receipt.id)
    kept = [(each.id, each.title, each.settlement_id) for each in receipts]
    assert kept == [(1, "R000001", 1), (2, "R000002", 2), (3, "R000003", 3)]
    money = {"family": 1, "mode": "cash", "amount_cents": 1, "state": "counted", "author": "D"}
    with db.write():
        for number, regie in enumerate(("creche", "", "creche"), start=4):
            settlement = Settlement.create(
                id=number, regie=regie, settled_at=NOW, reason="x", **money
            )
            issue_receipt(settlement, ISSUERS)
    titles = [each.title for each in Receipt.select().where(Receipt.id > 3).order_by(Receipt.id)]
    assert titles == ["R000001-creche", "R000004", "R000002-creche"]
    with pytest.raises(IntegrityError, match="receipt is append-only"):
        database.execute_sql("UPDATE receipt SET number = 9")


def test_an_invoice_may_ask_for_nothing_and_all_that_refers_to_one_still_does(
    earlier: None,
) -> None:
    tables = ("invoice_line", "attempt_item", "allocation")
    before = [database.execute_sql(f"SELECT * FROM {table}").fetchall() for table in tables]
    db.migrate()
    after = [database.execute_sql(f"SELECT * FROM {table}").fetchall() for table in tables]
    assert [len(rows) for rows in after] == [len(rows) for rows in before]
    assert [invoice.number for invoice in Invoice.select().order_by(Invoice.id)] == ["A", "B", "C"]
    Invoice.update(total_cents=-5, state="nothing_due").where(Invoice.number == "A").execute()
    InvoiceLine.update(amount_cents=-5).where(InvoiceLine.invoice == 1).execute()
    for cents, state in ((0, "open"), (-5, "paid"), (5, "x")):
        with pytest.raises(IntegrityError):
            Invoice.update(total_cents=cents, state=state).where(Invoice.number == "B").execute()
    with pytest.raises(IntegrityError):
        database.execute_sql("UPDATE allocation SET invoice_id = 99")
    assert verification.faults() == []


def test_a_family_that_came_in_before_this_was_noted_is_known_to_have(earlier: None) -> None:
    """By the security log, or by the password of its own; one that never did is yet to come."""
    db.migrate("0021_receipt_sequences")
    family = (
        "INSERT INTO family (id, code, name, address, postcode, city, updated_on, digest) "
        "VALUES ({0}, 'F{0}', '', '', '', '', '2026-11-05', '')"
    )
    account = (
        "INSERT INTO account (family_id, password_hash, must_change_password, password_set_at) "
        f"VALUES ({{0}}, 'x', {{1}}, '{EARLIER_AT}')"
    )
    for number, provisional in ((2, 1), (3, 0), (4, 1)):
        database.execute_sql(family.format(number))
        database.execute_sql(account.format(number, provisional))
    for day in ("08", "07"):
        columns = "at, kind, family_id, address"
        line = f"'2026-11-{day}T10:00:00.000000Z', 'signed_in', 2, ''"
        database.execute_sql(f"INSERT INTO security_event ({columns}) VALUES ({line})")
    db.migrate()
    entered = [each.entered_at for each in Account.select().order_by(Account.family)]
    assert [at and at.day for at in entered] == [7, 6, None]


def test_links_that_wait_still_open_and_the_number_of_one_erased_is_given_to_no_other(
    earlier: None,
) -> None:
    db.migrate("0024_sign_in")
    columns = "digest, purpose, family_id, email, issued_at, expires_at"
    for name in ("kept", "erased"):
        values = f"'{name}', 'reset', 1, 'a@example.org', '{EARLIER_AT}', '{EARLIER_AT}'"
        database.execute_sql(f"INSERT INTO token ({columns}) VALUES ({values})")
    database.execute_sql("DELETE FROM token WHERE digest = 'erased'")
    db.migrate()
    assert [(each.id, each.digest) for each in Token.select()] == [(1, "kept")]
    dates = {"issued_at": NOW, "expires_at": NOW}
    new = Token.create(digest="new", purpose="not_me", family=1, **dates)
    assert new.id == 3
    with pytest.raises(IntegrityError):
        Token.create(digest="other", purpose="other", family=1, **dates)


def test_how_long_a_family_has_been_gone_begins_at_what_was_known_of_it(earlier: None) -> None:
    """Any families file may have listed it; a sign-in is in the security log, or is the first."""
    db.migrate("0026_family_requests")
    database.execute_sql(
        "INSERT INTO import_batch VALUES "
        "(2, 'f.csv', '', 'familles', 3, 3, '2026-11-20T10:00:00.000000Z')"
    )
    family = (
        "INSERT INTO family (id, code, name, address, postcode, city, updated_on, digest) "
        "VALUES ({0}, 'F{0}', '', '', '', '', '{1}', '{2}')"
    )
    for number, day, digest in (
        (2, "2026-11-05", "a"),
        (3, "2026-11-25", "b"),
        (4, "2026-11-05", ""),
    ):
        database.execute_sql(family.format(number, day, digest))
        database.execute_sql(
            "INSERT INTO account (family_id, password_hash, must_change_password, password_set_at, "
            f"entered_at) VALUES ({number}, 'x', 0, '{EARLIER_AT}', '{EARLIER_AT}')"
        )
    columns = "at, kind, family_id, address"
    for kind, day in (("signed_in", "18"), ("refused", "19")):
        line = f"'2026-11-{day}T10:00:00.000000Z', '{kind}', 2, ''"
        database.execute_sql(f"INSERT INTO security_event ({columns}) VALUES ({line})")
    db.migrate()
    seen = [each.seen_on for each in Family.select().order_by(Family.id)]
    assert seen == [None, date(2026, 11, 20), date(2026, 11, 25), None]
    signed_in = [each.signed_in_on for each in Account.select().order_by(Account.family)]
    assert [day and day.day for day in signed_in] == [18, 6, 6]


def test_families_of_before_are_found_by_their_names(earlier: None) -> None:
    database.execute_sql(
        "INSERT INTO guardian (family_id, first_name, last_name, email, phone)"
        " VALUES (1, 'Zoé', 'Le Goff', '', '')"
    )
    database.execute_sql("INSERT INTO child (family_id, name) VALUES (1, 'Léa Martin')")
    db.migrate()
    assert Family.get().words == "martin zoe le goff lea martin"


def test_money_that_a_human_had_pay_another_invoice_goes_back_to_what_it_came_for(
    tmp_path: Path,
) -> None:
    """Of a version that did not keep it; what matched nothing came for none."""
    with fresh_databases.bare(tmp_path) as location, db.elsewhere(location):
        db.migrate("0050_kept_papers")
        family = make_family("F1001", "Martin")
        october, november, december = (make_invoice(family, name, 1000) for name in "OND")
        for reason in ("guichet", "encore"):
            at_counter(october, reason=reason, is_extra=reason == "encore")
        seen = BankPayment("banque", "a" * 32, 1000, NOW.date(), "Dominique", "vu")
        twice, unmatched = (
            Settlement.get(Settlement.reason == "encore"),
            payments.enter(seen, family, ISSUERS),
        )
        for settlement, invoice in ((twice, november), (unmatched, december)):
            payments.apply_overpayment(settlement, invoice.number, "Dominique", "accord", ISSUERS)
        Allocation.update(came_for=None).execute()
        db.migrate()
        for settlement, invoice in ((twice, november), (unmatched, december)):
            payments.withdraw_overpayment(settlement, invoice.number, "Dominique", "erreur")
        parts = Allocation.select().where(Allocation.settlement.in_([twice, unmatched]))
        assert {(each.settlement_id, each.kind, each.invoice_id) for each in parts} == {
            (twice.id, "overpayment", october.id),
            (unmatched.id, "unmatched", None),
        }
        assert verification.faults() == []

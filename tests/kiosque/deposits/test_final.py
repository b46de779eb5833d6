"""A deposit pays over, once, to the cent, what was collected and not yet paid over."""

import hashlib
from dataclasses import replace

import pytest
from peewee import DatabaseError

from kiosque import deposits, payments
from kiosque.db.models import (
    Deposit,
    DepositLine,
    Family,
    Invoice,
    JournalEntry,
    Revenue,
    Settlement,
)
from kiosque.db.states import RepaymentKind
from kiosque.deposits import Imputed, tables
from kiosque.deposits.sums import Source, sums, whole
from kiosque.language import clock
from kiosque.papers import deposits as papers
from kiosque.papers.deposits import bordereau, kept, payers
from kiosque.payments import journal, verification
from kiosque.payments.refusals import Refused
from kiosque.settings import Settings
from tests import fresh_databases, pdfs
from tests.conftest import ISSUERS, Clock, make_invoice
from tests.kiosque.deposits.conftest import (
    CAPTURED,
    CARE,
    MEALS,
    Final,
    make_final,
    now,
    services_of,
)
from tests.kiosque.payments.conftest import Hear, Pay, at_counter
from tests.threads import at_once

ONLINE = Source("banque", "card")


@pytest.fixture
def paid(go: Pay, hear: Hear, two_services: Invoice, imputed: None) -> Invoice:
    """Alice has paid her invoice online."""
    hear(go(two_services)[1], **CAPTURED)
    return two_services


def accounts() -> dict[str, int]:
    return {name: cents for name, cents in journal.balances().items() if cents}


def test_all_that_was_collected_is_paid_over_by_mode_and_imputation(
    paid: Invoice, final: Final
) -> None:
    found = now()
    assert sums(found.lines, lambda line: (line.source, line.imputed)) == {
        (ONLINE, MEALS): (3000, 0, 0),
        (ONLINE, CARE): (1520, 0, 0),
    }
    deposit = final()
    assert (deposit.year, deposit.number, deposit.amount_cents) == (2026, 1, 4520)
    assert accounts() == {"bank:banque": 4520, "paid_over": -4520}
    assert not now().lines


def test_its_entries_name_it_and_the_print_of_its_paper(paid: Invoice, final: Final) -> None:
    deposit = final()
    (entry,) = JournalEntry.select().where(JournalEntry.deposit == deposit.id)
    assert (entry.debit, entry.credit, entry.amount_cents) == ("invoices", "paid_over", 4520)
    assert deposits.titled(deposit) in entry.label
    assert deposit.pdf_sha256 in entry.label


def test_its_paper_is_made_again_the_same_from_what_the_books_keep(
    paid: Invoice, final: Final, frozen: Clock
) -> None:
    deposit = final()
    frozen.advance(days=40)
    again = bordereau(deposits.bordereau_of(Deposit.get_by_id(deposit.id)))
    assert hashlib.sha256(again).hexdigest() == deposit.pdf_sha256
    assert pdfs.faults(again) == []


def test_its_paper_is_the_same_in_ten_years_whatever_makes_papers_then(
    paid: Invoice, final: Final, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit = final()
    monkeypatch.setattr(papers, "bordereau", lambda _made: b"%PDF of another library")
    assert hashlib.sha256(kept(Deposit.get_by_id(deposit.id))).hexdigest() == deposit.pdf_sha256
    assert verification.faults() == []


def test_a_paper_that_the_journal_does_not_prove_is_not_given(
    paid: Invoice, final: Final, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit = final()
    fresh_databases.damage("UPDATE deposit SET pdf = ''")  # made before papers were kept
    assert kept(Deposit.get_by_id(deposit.id)) == deposit.pdf
    monkeypatch.setattr(papers, "bordereau", lambda _made: b"%PDF of another library")
    with pytest.raises(Refused, match=r"2026-001.*empreinte"):
        kept(Deposit.get_by_id(deposit.id))


def test_paper_table_and_books_tell_the_same_cents(
    paid: Invoice, final: Final, settings: Settings, alices_family: Family
) -> None:
    at_counter(make_invoice(alices_family, "2026-11-0010", 1234, services="Repas"))
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Dominique")
    deposit = final()
    made = deposits.bordereau_of(deposit)
    booked = Revenue.select().join(DepositLine).where(DepositLine.deposit == deposit)
    assert sum(it.amount_cents for it in booked) == deposit.amount_cents == 5754
    assert sum(row[-1] for row in tables.rows(deposit)) == 5754  # type: ignore[misc]
    words = pdfs.text(bordereau(made))
    for amount in ("30,00", "15,20", "12,34", "57,54"):
        assert amount in words
    assert "57,54" in pdfs.text(payers(settings, deposit))
    assert "Martin" in pdfs.text(payers(settings, deposit))


def test_what_is_kept_of_it_for_ever_names_no_family(
    paid: Invoice, final: Final, settings: Settings, alices_family: Family
) -> None:
    deposit = final()
    kept = f"{deposit.content} {pdfs.text(bordereau(deposits.bordereau_of(deposit)))}"
    assert alices_family.code not in kept
    assert alices_family.name not in kept
    Family.update(code="F3003", name="M.").where(Family.id == alices_family.id).execute()
    assert "F3003 M." in pdfs.text(payers(settings, deposit))
    assert {row[3] for row in tables.rows(deposit)} == {"F3003"}


def test_a_refund_in_part_is_apart_and_less_is_paid_over(paid: Invoice, final: Final) -> None:
    settlement = payments.find_settlement(paid.number)
    payments.record_repayment(settlement, RepaymentKind.REFUND, 1000, "D", "absence")
    assert whole(now().lines) == (4520, 0, -1000)
    assert final().amount_cents == 3520
    assert accounts() == {"bank:banque": 3520, "paid_over": -3520}


def test_what_leaves_once_paid_over_makes_the_next_total_negative(
    paid: Invoice, final: Final
) -> None:
    final()
    settlement = payments.find_settlement(paid.number)
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, 4520, "D", "impayé")
    deposit = final()
    assert (deposit.number, deposit.amount_cents) == (2, -4520)
    assert accounts() == {}
    assert "-45,20" in pdfs.text(bordereau(deposits.bordereau_of(deposit)))


def test_a_refund_then_a_chargeback_of_the_rest_leave_nothing_to_pay_over(
    paid: Invoice, final: Final
) -> None:
    settlement = payments.find_settlement(paid.number)
    payments.record_repayment(settlement, RepaymentKind.REFUND, 1000, "D", "absence")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, 3520, "D", "impayé")
    assert final().amount_cents == 0
    held = accounts()
    assert held.get("invoices", 0) + held.get("refunds", 0) == 0
    assert held.get("paid_over", 0) == 0


def test_the_counters_money_is_paid_over_from_its_own_account(
    two_services: Invoice, imputed: None, final: Final
) -> None:
    at_counter(two_services, mode="cheque")
    assert final().amount_cents == 4520
    assert accounts() == {}


def test_what_the_treasury_had_is_told_and_not_paid_over(
    two_services: Invoice, imputed: None, final: Final
) -> None:
    payments.transmit([two_services.number], "titres 11", clock.today(), "D", "impayée")
    at_counter(two_services, mode="treasury")
    deposit = final()
    assert deposit.amount_cents == 0
    assert accounts() == {}
    assert [line.cents for line in deposits.bordereau_of(deposit).memo] == [3000, 1520]


def test_what_came_after_is_of_the_next_deposit(
    paid: Invoice, final: Final, settings: Settings, alices_family: Family
) -> None:
    until = journal.last()[0]
    at_counter(make_invoice(alices_family, "2026-11-0010", 1234))
    found = deposits.draft("", until)
    made = deposits.finalize(settings, "", until, "Dominique", found.fingerprint, bordereau)
    assert made.amount_cents == 4520
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Dominique")
    assert final().amount_cents == 1234
    assert deposits.final_covering("", until) == made
    assert deposits.final_covering("", journal.last()[0]) is None


def test_without_its_imputation_a_service_is_named_and_nothing_is_final(
    october: Invoice, final: Final
) -> None:
    at_counter(october)
    assert now().missing == ["Restauration scolaire"]
    with pytest.raises(Refused, match=r"Restauration scolaire n’a pas d’imputation\."):
        final()
    assert not Deposit.select().exists()


def test_nothing_else_than_what_was_agreed_is_made_final(paid: Invoice, settings: Settings) -> None:
    agreed = now()
    deposits.keep_back(payments.find_settlement(paid.number), "Dominique", "à voir")
    with pytest.raises(Refused):
        deposits.finalize(settings, "", agreed.up_to, "D", agreed.fingerprint, bordereau)
    other = replace(agreed, lines=agreed.lines[:1])
    deposits.take_up(payments.find_settlement(paid.number), "Dominique")
    with pytest.raises(Refused):
        deposits.finalize(settings, "", agreed.up_to, "D", other.fingerprint, bordereau)
    assert not Deposit.select().exists()


def test_two_who_press_at_once_make_one_deposit(paid: Invoice, settings: Settings) -> None:
    from kiosque import db  # noqa: PLC0415

    agreed, said = now(), []

    def press(author: str) -> None:
        with db.connection():
            try:
                deposits.finalize(settings, "", agreed.up_to, author, agreed.fingerprint, bordereau)
            except Refused as refused:
                said.extend(refused.reasons)

    at_once(lambda: press("Dominique"), lambda: press("Camille"))
    assert Deposit.select().count() == 1
    assert len(said) == 1
    assert verification.faults() == []


def test_numbers_follow_by_year_and_regie(
    paid: Invoice, final: Final, frozen: Clock, alices_family: Family
) -> None:
    first = final()
    frozen.advance(days=60)
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Dominique")
    at_counter(make_invoice(alices_family, "2026-12-0001", 100))
    second = final()
    assert [deposits.titled(it) for it in (first, second)] == ["2026-001", "2027-001"]
    assert deposits.find("2027-1") == second
    with pytest.raises(Refused):
        deposits.find("2028-1")


def test_what_is_kept_back_waits_until_it_is_taken_up(paid: Invoice, final: Final) -> None:
    settlement = payments.find_settlement(paid.number)
    assert deposits.keep_back(settlement, "Dominique", "contestée") == 4520
    with pytest.raises(Refused):
        deposits.keep_back(settlement, "Dominique", "encore")
    assert [each.line.cents for each in deposits.kept_back("")] == [3000, 1520]
    with pytest.raises(Refused):
        final()
    assert deposits.take_up(settlement, "Dominique") == 4520
    assert final().amount_cents == 4520
    with pytest.raises(Refused):
        deposits.keep_back(settlement, "Dominique", "trop tard")


def test_what_was_kept_back_is_paid_over_by_a_later_deposit(
    paid: Invoice, final: Final, alices_family: Family
) -> None:
    settlement = payments.find_settlement(paid.number)
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Dominique")
    deposits.keep_back(settlement, "Dominique", "contestée")
    at_counter(make_invoice(alices_family, "2026-11-0010", 1234))
    assert final().amount_cents == 1234
    deposits.take_up(settlement, "Dominique")
    assert final().amount_cents == 4520


def test_nothing_changes_nor_erases_a_deposit(paid: Invoice, final: Final) -> None:
    deposit = final()
    for change in (
        Deposit.update(amount_cents=0),
        Deposit.delete(),
        DepositLine.update(article="1"),
        DepositLine.delete(),
    ):
        with pytest.raises(DatabaseError):
            change.execute()
    assert Deposit.get_by_id(deposit.id).amount_cents == 4520


def test_the_comptable_answers_once(paid: Invoice, final: Final, frozen: Clock) -> None:
    deposit = final()
    frozen.advance(days=3)
    with pytest.raises(Refused):
        deposits.answer(deposit, clock.today().replace(year=2027), "P503 12", "Dominique")
    with pytest.raises(Refused):
        deposits.answer(deposit, clock.today(), " ", "Dominique")
    deposits.answer(deposit, clock.today(), "P503 12", "Dominique")
    deposits.answer(deposit, clock.today(), "P503 12", "Dominique")
    with pytest.raises(Refused):
        deposits.answer(deposit, clock.today(), "P503 13", "Dominique")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE deposit SET amount_cents = 4519", "45,19"),
        ("UPDATE deposit SET number = 2", "numéro 2"),
        ("DELETE FROM deposit_line WHERE id = 1", "bordereau"),
        ("UPDATE deposit_line SET article = '1' WHERE id = 1", "bordereau"),
        ("UPDATE deposit SET up_to = 0", "bordereau"),
        ("UPDATE deposit SET regie = 'autre'", "bordereau"),
        ("UPDATE revenue SET amount_cents = amount_cents + 1 WHERE id = 1", "bordereau"),
        ("UPDATE journal_entry SET amount_cents = 1 WHERE deposit_id IS NOT NULL", "bordereau"),
        ("UPDATE deposit SET content = replace(content, '3000', '3001')", "bordereau"),
        ("UPDATE deposit SET pdf = 'JVBERi0='", "bordereau 2026-1 : son PDF"),
        ("UPDATE deposit SET pdf = 'é'", "bordereau 2026-1 : son PDF"),
        (
            "INSERT INTO kept_back (revenue_id, noted_at, author, reason) "
            "VALUES (1, '2026-11-24T01:50:49.000000Z', 'D', 'x')",
            "bordereau",
        ),
    ],
)
def test_a_deposit_that_does_not_hold_is_found(
    paid: Invoice, final: Final, damage: str, words: str
) -> None:
    final()
    fresh_databases.damage(damage)
    found = "\n".join(verification.faults()).replace("\u00a0", " ")
    assert words in found
    assert "bordereau" in found


def test_an_overpayment_is_paid_over_once_an_invoice_of_its_own_service_takes_it(
    two_services: Invoice, imputed: None, final: Final, alices_family: Family
) -> None:
    at_counter(two_services, amount_cents=5020)
    assert whole(now().paid_over).cents == 4520
    final()
    with pytest.raises(Refused):
        final()
    taking = services_of(make_invoice(alices_family, "EXC-1", 500), Excédents=500)
    deposits.set_imputation("", "Excédents", Imputed("466"), "Dominique")
    payments.apply_overpayment(
        Settlement.get(), taking.number, "Dominique", "laissé par la famille", ISSUERS
    )
    assert [(line.article, line.cents) for line in now().paid_over] == [("466", 500)]
    final()
    assert verification.faults() == []


def test_each_regie_pays_over_its_own(
    paid: Invoice, settings: Settings, charlies_family: Family
) -> None:
    other = make_invoice(charlies_family, "2026-11-0011", 700, regie="creche")
    deposits.set_imputation("creche", "Restauration scolaire", CARE, "Dominique")
    at_counter(other)
    made = make_final(settings, "creche")
    assert (deposits.titled(made), made.amount_cents) == ("2026-001-creche", 700)
    assert make_final(settings).amount_cents == 4520
    assert accounts() == {"bank:banque": 4520, "paid_over": -4520}

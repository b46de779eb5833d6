"""Two codes of one household become one family, and two again: the books stay as true, and the rows
are those of before."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.base import Callback, Gateway, Handoff
from kiosque import db, payments
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Family,
    FamilyMerge,
    Invoice,
    JournalEntry,
    Receipt,
    Settlement,
)
from kiosque.db.states import RepaymentKind, RequestTopic
from kiosque.families import records, requests, signin
from kiosque.families.signin import Visitor
from kiosque.invoices import imports
from kiosque.payments import Refused, polling, verification
from kiosque.privacy import archiving, merging
from kiosque.privacy.erasure import reduce
from tests import fresh_databases
from tests.bank import notice
from tests.conftest import (
    ISSUERS,
    PASSWORD,
    TOWN,
    Clock,
    choose_password,
    make_family,
    make_invoice,
)
from tests.kiosque.invoices.files import CONFIRMED, ROW, sheet
from tests.kiosque.payments.conftest import at_counter

WHO = ("marie@sautron.example.org", "chargée deux fois")
#: What a merge undone leaves: that it was.
LEFT = {"family_merge", "sqlite_sequence"}
Pay = Callable[..., tuple[Attempt, Handoff]]


@pytest.fixture
def double(gateway: Gateway, alices_family: Family, pay: Pay) -> Family:
    """Alice's household again, under another code: an invoice paid online, one in part and too
    much at the counter, one to pay, and a request."""
    family = make_family("01001", "Martin")
    online = make_invoice(family, "D-1")
    said = notice(pay(family, online)[1])
    payments.record(
        gateway.name, gateway.read_notification(Callback.of_form(said.items())), ISSUERS
    )
    polling.stop_asking(Attempt.get())
    at_counter(make_invoice(family, "D-2"), amount_cents=1000)
    at_counter(make_invoice(family, "D-3"), amount_cents=5000, is_extra=True)
    requests.ask(family, RequestTopic.ADDRESS, "Nous déménageons", TOWN)
    choose_password(family)
    assert verification.faults() == []
    return family


def merge(kept: Family, gone: Family) -> FamilyMerge:
    return merging.merge(kept, gone, *WHO)


def test_all_of_the_double_is_of_the_kept_one_and_the_books_are_as_true(
    alices_family: Family, double: Family, october: Invoice
) -> None:
    journal = list(JournalEntry.select().order_by(JournalEntry.number).dicts())
    receipts = list(Receipt.select().dicts())
    merge(alices_family, double)
    assert {each.family for each in Invoice.select()} == {alices_family}
    assert payments.overpaid_to(alices_family) == 480
    assert verification.faults() == []
    assert list(JournalEntry.select().order_by(JournalEntry.number).dicts()) == journal
    assert list(Receipt.select().dicts()) == receipts


def test_the_double_is_put_away_with_its_password(alices_family: Family, double: Family) -> None:
    merge(alices_family, double)
    assert [each.code for each in records.search("martin")] == [alices_family.code]
    with pytest.raises(signin.Archived):
        signin.attempt("01001", PASSWORD, Visitor("203.0.113.9"))


def test_a_merge_undone_leaves_the_rows_of_before(
    alices_family: Family, double: Family, october: Invoice
) -> None:
    before = fresh_databases.rows(without=LEFT)
    merging.undo(merge(alices_family, double))
    assert fresh_databases.rows(without=LEFT) == before
    assert verification.faults() == []


def test_what_the_kept_one_did_meanwhile_stays_its_own(
    alices_family: Family, double: Family, october: Invoice
) -> None:
    made = merge(alices_family, double)
    at_counter(october)
    late = make_invoice(alices_family, "2026-12-0001")
    merging.undo(made)
    own = {each.number for each in Invoice.select().where(Invoice.family == alices_family)}
    assert own == {october.number, late.number}
    assert verification.faults() == []


def test_money_of_both_keeps_them_one(
    alices_family: Family, double: Family, october: Invoice
) -> None:
    made = merge(alices_family, double)
    at_counter(Invoice.get(Invoice.number == "D-2"), amount_cents=3520)
    before = fresh_databases.rows()
    with pytest.raises(Refused):
        merging.undo(made)
    assert fresh_databases.rows() == before


def test_a_payment_begun_for_both_keeps_them_one(
    alices_family: Family, double: Family, october: Invoice, pay: Pay
) -> None:
    owed = make_invoice(double, "D-9")
    made = merge(alices_family, double)
    pay(alices_family, october, owed)
    with pytest.raises(Refused):
        merging.undo(made)


@pytest.mark.parametrize("whose", ["kept", "gone"])
def test_nothing_is_merged_while_the_bank_has_to_do_with_either(
    alices_family: Family, double: Family, october: Invoice, pay: Pay, whose: str
) -> None:
    if whose == "kept":
        pay(alices_family, october)
    else:
        pay(double, make_invoice(double, "D-9"))
    before = fresh_databases.rows()
    with pytest.raises(Refused):
        merge(alices_family, double)
    assert fresh_databases.rows() == before


def test_a_family_is_not_merged_with_itself_nor_with_one_put_away_or_forgotten(
    alices_family: Family, charlies_family: Family
) -> None:
    with pytest.raises(Refused):
        merge(alices_family, alices_family)
    archiving.archive(charlies_family)
    with pytest.raises(Refused):
        merge(alices_family, charlies_family)
    archiving.bring_back(charlies_family)
    with write():
        reduce(charlies_family)
    with pytest.raises(Refused):
        merge(alices_family, charlies_family)


def test_of_two_merges_in_a_row_the_last_is_undone_first(
    alices_family: Family, double: Family, charlies_family: Family
) -> None:
    before = fresh_databases.rows(without=LEFT)
    first = merge(alices_family, double)
    last = merge(charlies_family, alices_family)
    with pytest.raises(Refused):
        merging.undo(first)
    merging.undo(last)
    merging.undo(first)
    assert fresh_databases.rows(without=LEFT) == before


def test_a_merge_is_undone_for_thirty_days_and_once(
    alices_family: Family, double: Family, frozen: Clock
) -> None:
    made = merge(alices_family, double)
    frozen.advance(days=29)
    assert merging.of(alices_family) == [made]
    merging.undo(made)
    assert merging.of(alices_family) == []
    with pytest.raises(Refused):
        merging.undo(made)
    made = merge(alices_family, double)
    frozen.advance(days=30)
    assert merging.of(alices_family) == []
    with pytest.raises(Refused):
        merging.undo(made)
    merging.purge()
    assert FamilyMerge.select().count() == 0
    assert Invoice.select().where(Invoice.family == double).count() == 0


def test_nothing_is_kept_of_a_merge_once_the_family_is_erased(
    alices_family: Family, double: Family
) -> None:
    merge(alices_family, double)
    with write():
        reduce(alices_family)
    assert FamilyMerge.select().count() == 0


def test_money_that_leaves_again_since_goes_back_with_its_invoice(
    alices_family: Family, double: Family
) -> None:
    made = merge(alices_family, double)
    paid = Settlement.get(Settlement.gateway == "banque")
    payments.record_repayment(paid, RepaymentKind.CHARGEBACK, None, "Dominique", "impayé")
    assert verification.faults() == []
    assert {each.number for each in payable(alices_family)} == {"D-1", "D-2"}
    merging.undo(made)
    assert verification.faults() == []
    assert {each.number for each in payable(double)} == {"D-1", "D-2"}
    assert payable(alices_family) == []


def payable(family: Family) -> list[Invoice]:
    return [
        each for each in Invoice.select().where(Invoice.family == family) if each.remaining_cents
    ]


def test_late_money_of_the_double_is_of_the_kept_one(
    alices_family: Family, double: Family, gateway: Gateway, pay: Pay, frozen: Clock
) -> None:
    """A page of the bank left open pays after all; the merge cannot be undone over it."""
    attempt, handoff = pay(double, make_invoice(double, "D-9"))
    frozen.advance(hours=1)
    payments.close_attempt(attempt.reference, "Dominique", "page fermée")
    polling.stop_asking(Attempt.get_by_id(attempt.id))
    made = merge(alices_family, double)
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    payments.record(gateway.name, report, ISSUERS)
    assert Invoice.get(Invoice.number == "D-9").state == "paid"
    assert verification.faults() == []
    before = fresh_databases.rows()
    with pytest.raises(Refused):
        merging.undo(made)
    assert fresh_databases.rows() == before


def test_the_same_file_again_gives_the_double_nothing_back(
    alices_family: Family, double: Family, tmp_path: Path
) -> None:
    path = tmp_path / "f.csv"
    path.write_text(sheet(ROW.replace("F1001", "01001")), encoding="utf-8")

    def load() -> None:
        imports.load(path, pdf_folder=tmp_path / "pdf", confirmed=CONFIRMED)

    load()
    merge(alices_family, double)
    before = fresh_databases.rows(without={"import_batch", "import_change", "sqlite_sequence"})
    load()
    assert (
        fresh_databases.rows(without={"import_batch", "import_change", "sqlite_sequence"}) == before
    )


STEPS = st.tuples(
    st.sampled_from(["merge", "undo", "invoice", "pay", "too much", "give back"]),
    st.integers(0, 2),
    st.integers(0, 8),
)


def play(act: str, which: int, other: int, families: list[Family]) -> None:
    """Do something to one of the families. Raises Refused."""
    family = families[which]
    owed = list(Invoice.select().where(Invoice.family == family).order_by(Invoice.id))
    paid = list(
        Settlement.select().where(Settlement.family == family, Settlement.state == "counted")
    )
    if act == "merge":
        merge(family, families[other % 3])
    elif act == "undo":
        made = list(FamilyMerge.select().where(FamilyMerge.kept == family))
        for each in made[other % 3 :][:1]:
            merging.undo(each)
    elif act == "invoice":
        make_invoice(family, f"N{Invoice.select().count()}")
    elif act == "pay" and owed:
        at_counter(owed[other % len(owed)], amount_cents=1000 + other, reason=f"pièce {other}")
    elif act == "too much" and owed:
        at_counter(owed[other % len(owed)], is_extra=True, reason=f"en trop {other}")
    elif paid:
        settlement = paid[other % len(paid)]
        payments.record_repayment(settlement, RepaymentKind.REFUND, None, "Dominique", "rendu")


@given(steps=st.lists(STEPS, max_size=14))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_between_merges_the_books_are_true_and_a_refusal_changes_nothing(
    tmp_path: Path, frozen: Clock, steps: list[tuple[str, int, int]]
) -> None:
    with (
        TemporaryDirectory(dir=tmp_path) as folder,
        fresh_databases.ready(Path(folder)) as location,
        db.elsewhere(location),
    ):
        families = [make_family(f"F{number}", "Martin") for number in range(3)]
        for step in steps:
            before = fresh_databases.rows()
            try:
                play(*step, [Family.get_by_id(each.id) for each in families])
            except Refused:
                assert fresh_databases.rows() == before
            assert verification.faults() == []

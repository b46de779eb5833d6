"""A load undone leaves the rows as they were, unless money, the bank, a mail or a later load is
about them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import fn

from gateways.base import Handoff
from kiosque import db, payments
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Child,
    Family,
    FamilyNotice,
    Guardian,
    ImportBatch,
    ImportChange,
    Invoice,
    OutboxMail,
    PrivacyAct,
    Service,
    Transmission,
)
from kiosque.db.states import MailState, NoticeKind, RequestTopic
from kiosque.families import requests
from kiosque.invoices import announcements, imports
from kiosque.invoices.imports import (
    BadFile,
    Confirmed,
    drafts,
    invoices,
    undo_log,
    undoing,
)
from kiosque.invoices.imports.drafts import Draft
from kiosque.payments import Refused, verification
from kiosque.privacy import archiving, merging
from kiosque.privacy.erasure import reduce
from tests import fresh_databases
from tests.conftest import NOW, TOWN, Clock, choose_password, make_family
from tests.kiosque.invoices.files import FAMILIES, ROW, ROW2, SETTLEMENTS, Load, sheet
from tests.kiosque.payments.conftest import at_counter

DEMO = Path(__file__).parents[3] / "data" / "demo"
#: What an undone load leaves: that it was, and numbers that were given.
LOADS = {"import_batch", "import_change", "sqlite_sequence"}
EXAMPLES = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
ALL = Confirmed(new_services=True, new_families=True, removals=True, overpayments=True)
WHO = ("Dominique Aubry", "mauvais fichier")
Rows = dict[str, list[tuple[object, ...]]]

NEXT = ROW.replace("2026-10-0001", "2026-10-0002")
MOVED = FAMILIES.replace("1 rue", "2 rue").replace("Restauration|Périscolaire", "Accueil")


def rows() -> Rows:
    return fresh_databases.rows(without=LOADS)


def last() -> int:
    return int(ImportBatch.select(fn.MAX(ImportBatch.id)).scalar())


def undo(number: int | None = None, folder: Path = Path("/nowhere")) -> ImportBatch:
    return undoing.undo(number or last(), *WHO, folder)


def refusal(number: int | None = None) -> str:
    """Say why a load is not undone, having seen that nothing changed."""
    before = fresh_databases.rows()
    with pytest.raises(Refused) as caught:
        undo(number)
    assert fresh_databases.rows() == before
    return str(caught.value)


# --- As before ---


CODES, CHILDREN = st.sampled_from(["F1", "F2", "F3"]), ["Zoé", "Léo", "Ali"]
SERVICES = ["Restauration", "Périscolaire", "Accueil"]


@st.composite
def families_file(draw: st.DrawFn) -> str:
    lines = [FAMILIES.splitlines()[0]]
    for code in draw(st.lists(CODES, min_size=1, max_size=3, unique=True)):
        street = draw(st.sampled_from(["1 rue", "2 rue"]))
        lines += [
            f"{code};responsable;Martin;{name};;;{street};44880;Sautron;;"
            for name in draw(st.lists(st.sampled_from(["Alice", "Bob"]), min_size=1, unique=True))
        ]
        for child in draw(st.lists(st.sampled_from(CHILDREN), unique=True)):
            taken = "|".join(draw(st.lists(st.sampled_from(SERVICES), unique=True)))
            lines.append(f"{code};enfant;Martin;{child};;;;;;;{taken}")
    return "\n".join(lines) + "\n"


@st.composite
def invoices_file(draw: st.DrawFn) -> str:
    numbers = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True))
    return sheet(
        *[
            f"{draw(CODES)};N{number};2026-11-05;2026-11-30;2026-10;"
            f"{draw(st.sampled_from(SERVICES))};{draw(st.sampled_from([*CHILDREN, '']))} Martin;"
            "Repas;14;3,45;48,30;"
            for number in numbers
        ]
    )


@pytest.fixture
def anew(tmp_path: Path, frozen: Clock) -> Callable[[], AbstractContextManager[None]]:
    """Work on a database of its own: those of an example are not the next one's."""

    @contextmanager
    def go() -> Iterator[None]:
        frozen.at = NOW
        with (
            TemporaryDirectory(dir=tmp_path) as folder,
            fresh_databases.ready(Path(folder)) as location,
            db.elsewhere(location),
        ):
            yield

    return go


@given(files=st.lists(families_file() | invoices_file(), min_size=1, max_size=4))
@EXAMPLES
def test_loads_undone_from_the_last_leave_the_rows_of_before(
    files: list[str], load: Load, frozen: Clock, anew: Callable[[], AbstractContextManager[None]]
) -> None:
    with anew():
        before = dict(each_loaded(files, load, frozen))
        for number, then in reversed(before.items()):
            undo(number)
            assert rows() == then
        assert not verification.faults()


@given(
    files=st.lists(families_file() | invoices_file(), min_size=2, max_size=4),
    at=st.integers(0, 3),
)
@EXAMPLES
def test_a_load_that_is_not_the_last_is_undone_or_refused_and_the_others_still_can_be(
    files: list[str],
    at: int,
    load: Load,
    frozen: Clock,
    anew: Callable[[], AbstractContextManager[None]],
) -> None:
    with anew():
        left = [number for number, _ in each_loaded(files, load, frozen)]
        before, chosen = rows(), left[at % len(left)]
        try:
            undo(chosen)
        except Refused:
            assert rows() == before
        else:
            left.remove(chosen)
        assert not verification.faults()
        for number in reversed(left):
            undo(number)
        assert not any(rows()[name] for name in ("family", "service", "invoice", "enrolment"))


def each_loaded(files: list[str], load: Load, frozen: Clock) -> Iterator[tuple[int, Rows]]:
    """Load files, a day between two. Yield the number of each, and the rows of before it."""
    for content in files:
        frozen.advance(days=1)
        before = rows()
        with suppress(BadFile):  # an invoice that is there otherwise
            load(content, confirmed=ALL)
            yield last(), before


def test_files_of_the_demonstration_undone_leave_the_rows_of_before(
    empty_database: None, frozen: Clock, tmp_path: Path
) -> None:
    before = [rows()]
    for name in ("familles.csv", "factures-2026-09.csv", "factures-2026-10.csv"):
        start = (DEMO / name).read_text("utf-8").splitlines(keepends=True)[:200]
        (tmp_path / name).write_text("".join(start), "utf-8")
        imports.load(tmp_path / name, pdf_folder=tmp_path, confirmed=ALL)
        before.append(rows())
    loaded = before.pop()
    for number, then in reversed(list(enumerate(before, 1))):
        undo(number)
        assert rows() == then != loaded


def test_a_file_whose_load_was_undone_is_loaded_again(load: Load) -> None:
    load(FAMILIES)
    added = load(sheet(ROW, NEXT)).added
    loaded = rows()
    undo()
    assert load(sheet(ROW, NEXT)).added == added == 2
    assert {name: len(found) for name, found in rows().items()} == {
        name: len(found) for name, found in loaded.items()
    }


def test_the_load_stays_in_the_list_with_who_undid_it_and_why(load: Load, frozen: Clock) -> None:
    load(sheet(ROW), author="Alice")
    undo()
    batch = ImportBatch.get()
    assert (batch.author, batch.undone_at) == ("Alice", frozen.at)
    assert (batch.undone_by, batch.undo_reason) == WHO
    assert ImportChange.select().count() == 0
    assert "annulé" in refusal()


def test_a_family_that_came_back_by_an_invoice_is_gone_again(load: Load, frozen: Clock) -> None:
    load(sheet(ROW))
    with write():
        reduce(Family.get())
    before = rows()
    load(sheet(NEXT), confirmed=ALL)
    assert Family.get().forgotten_at is None
    undo()
    assert rows() == before


def test_what_the_family_chose_meanwhile_stays(load: Load) -> None:
    load(FAMILIES)
    load(MOVED, confirmed=ALL)
    Family.update(email="moi@example.org", wants_mail=False).execute()
    undo()
    family = Family.get()
    assert (family.address, family.email, family.wants_mail) == ("1 rue", "moi@example.org", False)


def test_a_family_put_away_meanwhile_stays_so(load: Load) -> None:
    load(FAMILIES)
    load(MOVED, confirmed=ALL)
    archiving.archive(Family.get())
    undo()
    family = Family.get()
    assert family.address == "1 rue"
    assert family.archived_at == NOW


def test_a_merge_that_moved_its_invoices_is_undone_first(load: Load) -> None:
    # Else the next invoice would bear the id of one that is gone, and be given away with the merge.
    load(sheet(ROW))
    merge = merging.merge(make_family("F2002", "Petit"), Family.get(Family.code == "F1001"), *WHO)
    with pytest.raises(Refused, match="F1001"):
        undo()
    merging.undo(merge)
    undo()
    assert Invoice.select().count() == 0


def test_the_pdf_of_an_invoice_leaves_with_it(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    load(sheet(ROW + "a.pdf"))
    kept = tmp_path / "pdf" / Invoice.get().pdf_name
    assert kept.exists()
    undo(folder=tmp_path / "pdf")
    assert not kept.exists()


def test_mails_that_wait_about_its_invoices_only_are_dropped(load: Load) -> None:
    load(FAMILIES)
    load(sheet(ROW))
    before = rows()
    load(sheet(NEXT))
    tell("2026-10-0002")
    assert OutboxMail.select().count() == 1
    undo()
    assert rows() == before


def test_a_mail_that_waits_about_another_invoice_too_stays(load: Load) -> None:
    load(FAMILIES)
    load(sheet(ROW))
    load(sheet(NEXT))
    tell("2026-10-0001", "2026-10-0002")
    undo()
    notice = FamilyNotice.get()
    assert [item.invoice.number for item in notice.items] == ["2026-10-0001"]
    assert OutboxMail.get().state == MailState.WAITING


def tell(*numbers: str) -> None:
    with write():
        told = list(Invoice.select().where(Invoice.number.in_(numbers)))
        announcements.queue_notice(NoticeKind.NEW_INVOICES, told[0].family, told)


# --- Refused ---


def test_a_load_with_an_invoice_paid_even_in_part_is_not_undone(load: Load) -> None:
    load(sheet(ROW, NEXT))
    at_counter(Invoice.get(Invoice.number == "2026-10-0002"), amount_cents=100)
    words = refusal()
    assert "2026-10-0002" in words
    assert "2026-10-0001" not in words


def test_a_load_with_an_invoice_cancelled_is_not_undone(load: Load) -> None:
    load(sheet(ROW))
    payments.cancel_invoice("2026-10-0001", *WHO)
    assert "2026-10-0001" in refusal()


def test_a_load_with_an_invoice_that_was_at_the_bank_is_not_undone(
    load: Load, pay: Callable[..., tuple[Attempt, Handoff]]
) -> None:
    load(sheet(ROW))
    pay(Family.get(), Invoice.get())
    assert "2026-10-0001" in refusal()


@pytest.mark.parametrize("values", [{"state": MailState.SENT}, {"tries": 1}])
def test_a_load_told_by_a_mail_that_left_or_leaves_is_not_undone(
    load: Load, values: dict[str, object]
) -> None:
    load(FAMILIES)
    load(sheet(ROW))
    tell("2026-10-0001")
    OutboxMail.update(values).execute()
    assert "2026-10-0001" in refusal()


def test_a_load_with_an_invoice_that_a_family_asks_about_is_not_undone(load: Load) -> None:
    load(sheet(ROW))
    family = Family.get()
    requests.ask(family, RequestTopic.PAID, "Payée", TOWN, Invoice.get())
    assert "2026-10-0001" in refusal()


def test_a_family_that_has_an_account_is_not_taken_away(load: Load) -> None:
    load(FAMILIES)
    choose_password(Family.get())
    assert "F1001" in refusal()


def test_a_later_load_of_the_same_family_is_undone_first(load: Load) -> None:
    load(FAMILIES)
    load(MOVED, confirmed=ALL)
    assert "n° 2 " in refusal(1)
    undo(2)
    undo(1)
    assert Family.select().count() == Guardian.select().count() == Child.select().count() == 0


def test_a_service_that_a_later_load_uses_stays(load: Load) -> None:
    load(sheet(ROW))
    load(sheet(NEXT.replace("F1001", "F2002").replace("Zoé Œuf", "Ali")))
    assert "Restauration" in refusal(1)


def test_a_service_of_an_enrolment_that_another_undoing_would_put_back_stays(load: Load) -> None:
    load(sheet(ROW.replace("Zoé Œuf", "")))
    enrolled = FAMILIES.replace("F1001", "F2002")
    load(enrolled)
    load(enrolled.replace("Restauration|", ""), confirmed=ALL)
    assert "Restauration" in refusal(1)
    for number in (3, 2, 1):
        undo(number)
    assert Service.select().count() == 0


@fresh_databases.on_sqlite
def test_a_row_whose_number_a_later_load_took_is_not_put_back(load: Load) -> None:
    load(FAMILIES)
    load("\n".join(FAMILIES.splitlines()[:3]), confirmed=ALL)
    load(sheet(ROW.replace("F1001", "F2002")), confirmed=ALL)
    assert refusal(2) == undoing.IN_THE_WAY
    for number in (3, 2, 1):
        undo(number)
    assert Family.select().count() == 0


def test_a_file_of_money_is_never_undone(load: Load) -> None:
    load(sheet(ROW))
    load(SETTLEMENTS)
    assert "argent" in refusal()


def test_a_load_of_long_ago_or_unknown_is_not_undone(load: Load, frozen: Clock) -> None:
    load(sheet(ROW2))
    assert "77" in refusal(77)
    frozen.at += undo_log.KEPT + timedelta(seconds=1)
    assert "gardé" in refusal()
    undo_log.purge()
    assert ImportChange.select().count() == 0


def test_nobody_undoes_a_load_without_a_name_and_a_reason(load: Load) -> None:
    load(sheet(ROW))
    for author, reason in (("", "erreur"), ("Alice", " ")):
        with pytest.raises(Refused):
            undoing.undo(1, author, reason, Path("/nowhere"))
    assert Invoice.select().count() == 1


# --- Privacy ---


def test_what_a_family_was_is_erased_with_it_and_the_load_stays(load: Load) -> None:
    load(FAMILIES)
    load(MOVED, confirmed=ALL)
    with write():
        reduce(Family.get())
    kept = repr(fresh_databases.rows()["import_change"])
    assert "Martin" not in kept
    assert "rue" not in kept
    assert "gardé" in refusal()
    assert PrivacyAct.select().count() == 0


@pytest.fixture
def of_the_treasury(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose debts are the Treasury's from the first."""

    def read(*given: object) -> list[Draft]:
        found = drafts.read_drafts(*given)  # type: ignore[arg-type]
        for draft in found:
            draft.treasury_list = "Bordereau 12"
        return found

    monkeypatch.setattr(invoices, "read_drafts", read)


@pytest.mark.usefixtures("of_the_treasury")
def test_debts_that_a_file_gives_to_the_treasury_are_undone_until_a_person_does_so(
    load: Load,
) -> None:
    before = rows()
    credit = NEXT.replace("0002", "0003").replace(";14;3,45;48,30", ";-1;3,45;-3,45")
    load(sheet(ROW, NEXT, credit), author="Alice")
    states = [each.state for each in Invoice.select().order_by(Invoice.number)]
    assert states == ["transmitted", "transmitted", "nothing_due"]
    first = Transmission.get()
    assert (first.list_name, first.transmitted_on.isoformat()) == ("Bordereau 12", "2026-11-05")
    assert verification.faults() == []
    payments.take_back("2026-10-0002", *WHO)
    payments.transmit(["2026-10-0002"], "B-13", NOW.date(), *WHO)
    assert "2026-10-0002 : elle est, ou a été, transmise" in refusal()
    with write():
        Transmission.delete().where(Transmission.batch.is_null()).execute()
        Transmission.update(ended_at=None, ended_by="", end_reason="").execute()
    undo()
    assert rows() == before

"""Debtors that other software names are families of the town once a person has said which."""

from datetime import date
from pathlib import Path

import pytest

from kiosque.db.models import Debtor, Family, Guardian, Invoice
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, codes
from kiosque.invoices.imports.codes import Named
from kiosque.language import clock
from tests import sentences
from tests.kiosque.conftest import Run
from tests.kiosque.invoices.files import Load
from tests.kiosque.invoices.synthetic import line, pes, piece

ALICE = Named("", "MARTIN ALICE", "1 RUE DES LILAS", "44880 SAUTRON")


def make(code: str, first: str, last: str, street: str, postcode: str = "44880") -> Family:
    family = Family.create(
        code=code, name=last, address=street, postcode=postcode, city="Sautron",
        updated_on=date(2026, 10, 1), digest="x",
    )  # fmt: skip
    Guardian.create(family=family, first_name=first, last_name=last)
    return family


@pytest.fixture
def town(empty_database: None) -> None:
    make("F1", "Alice", "Martin", "1, rue des Lilas")
    make("F2", "Alice", "Martin", "7 rue du Bœuf")
    make("F3", "Cœurine", "D’Hérouville", "28 impasse des Chênes")


def found(named: Named) -> tuple[str, str, tuple[str, ...]]:
    each = codes.KnownDebtors().find(1, named)
    return each.code, each.proposed, each.candidates


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (ALICE, ("", "F1", ("F1",))),
        (Named("", "Alice Martin", "7 RUE DU BUF", ""), ("", "F2", ("F2",))),
        (Named("", "MARTIN ALICE", "9 RUE NEUVE", "44880 SAUTRON"), ("", "", ("F1", "F2"))),
        (Named("", "MARTIN ALICE", "1 RUE DES LILAS", "75001 PARIS"), ("", "", ("F1", "F2"))),
        (Named("", "PETIT BOB", "1 RUE DES LILAS", "44880"), ("", "", ("F1",))),
        (Named("", "D'HEROUVILLE CURINE", "28 IMPASSE DES CH", ""), ("", "F3", ("F3",))),
        (Named("", "PETIT Bob et Martin Alice", "1 rue des lilas", ""), ("", "F1", ("F1",))),
        (Named("", "INCONNU", "NULLE PART", "99999"), ("", "", ())),
        (Named("", "", "1 RUE DES LILAS", "44880"), ("", "", ("F1",))),
        (Named("f2", "MARTIN ALICE", "", ""), ("F2", "", ())),
        # A number of the Treasury that happens to be the code of somebody else.
        (Named("F3", "MARTIN ALICE", "1 RUE DES LILAS", "44880"), ("", "F1", ("F1",))),
        (Named("F9", "MARTIN ALICE", "", ""), ("", "", ("F1", "F2"))),
    ],
)
def test_a_family_is_proposed_where_one_alone_fits(
    town: None, named: Named, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    assert found(named) == expected


def test_two_families_of_one_name_at_one_address_are_never_told_apart(town: None) -> None:
    make("F4", "Alice", "Martin", "1 rue des lilas")
    assert found(ALICE) == ("", "", ("F1", "F4"))


def test_a_tower_of_families_is_no_help(town: None) -> None:
    for number in range(10, 16):
        make(f"F{number}", "Bob", "Petit", "9 rue de la Tour")
    assert found(Named("", "INCONNU", "9 RUE DE LA TOUR", "44880")) == ("", "", ())


@pytest.mark.parametrize("put_away", ["archived_at", "forgotten_at"])
def test_a_family_put_away_is_neither_proposed_nor_confirmed(town: None, put_away: str) -> None:
    make("F4", "Alice", "Martin", "1 rue des lilas")
    Family.update({put_away: clock.now()}).where(Family.code == "F4").execute()
    assert found(ALICE) == ("", "F1", ("F1",))
    assert found(Named("F4", "MARTIN ALICE", "", "")) == ("", "", ("F1", "F2"))
    with pytest.raises(codes.Unknown, match="F4"):
        codes.confirm({ALICE: "F4"}, "Dominique")


def test_a_family_known_by_its_invoices_only_is_proposed_by_its_code(town: None) -> None:
    Family.create(code="F5", name="", updated_on=date(2026, 10, 1))
    assert found(Named("F5", "PETIT", "", "")) == ("", "F5", ("F5",))


def test_what_was_confirmed_is_known_however_spelt_and_may_change(town: None) -> None:
    codes.confirm({ALICE: "F2"}, "Dominique")
    same = Named("", "Martin  Alice", "1, Rue des Lilas", "44880 Sautron")
    assert found(same)[0] == "F2"
    codes.confirm({same: "F1"}, "Dominique")
    assert (found(ALICE)[0], Debtor.select().count()) == ("F1", 1)
    codes.forget(Debtor.get().id)
    assert found(ALICE)[0] == ""


def test_a_family_that_moved_is_proposed_by_its_reference(town: None) -> None:
    codes.confirm({Named("501X", "MARTIN ALICE", "1 RUE DES LILAS", "44880"): "F1"}, "Dominique")
    assert found(Named("501X", "MARTIN ALICE", "3 RUE NEUVE", "44880"))[1] == "F1"
    assert found(Named("501X", "PETIT BOB", "3 RUE NEUVE", "44880"))[1] == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [({ALICE: "F9"}, "F9"), ({ALICE: "F1", Named("", "", "", ""): "F1"}, "sans nom")],
)
def test_nothing_is_kept_of_a_code_or_of_a_debtor_that_is_none(
    town: None, said: dict[Named, str], why: str
) -> None:
    with pytest.raises(codes.Unknown, match=why):
        codes.confirm(said, "Dominique")
    with pytest.raises(codes.Unknown):
        codes.forget(12)
    assert Debtor.select().count() == 0


def test_a_file_waits_until_each_of_its_debtors_is_known(town: None, load: Load) -> None:
    other = piece(line("1.00", name="PETIT", first="BOB"), number="2", at=7)
    content = pes(piece(line()), piece(line(), number="3", at=2), other, total="175.90")
    with pytest.raises(BadFile) as caught:
        load(content, name="export.xml")
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"pièce 1 : {sentences.UNKNOWN_DEBTOR} : MARTIN ALICE, 1 RUE DES LILAS")
    assert "F1" in first
    assert second.startswith(f"pièce 7 : {sentences.UNKNOWN_DEBTOR} : PETIT BOB")
    codes.confirm({ALICE: "F1"}, "Dominique")
    with pytest.raises(BadFile, match="PETIT BOB"):
        load(content, name="export.xml")
    assert Invoice.select().count() == 0
    codes.confirm({Named("", "PETIT BOB", ALICE.street, ALICE.town): "F3"}, "Dominique")
    assert load(content, name="export.xml").added == 3


OURS = (
    "tiers_nom;tiers_adresse;numero_facture;date_emission;periode;service;enfant;libelle;quantite;"
    "prix_unitaire;montant\n"
)
BY_NAME = "MARTIN Alice;1 rue des Lilas;A1;05/11/2026;2026-10;Cantine;Zoé;Repas;1;3,45;3,45"


def test_our_own_columns_may_name_debtors_and_tell_no_due_date(town: None, load: Load) -> None:
    codes.confirm({Named("", "MARTIN ALICE", "1 RUE DES LILAS", ""): "F1"}, "Dominique")
    assert load(f"{OURS}{BY_NAME}\n\nTOTAL;;;;;;;;;;3,45\n").added == 1
    assert Invoice.get().due_on == date(2026, 12, 5)


def test_a_total_is_no_debtor(town: None, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"{OURS}{BY_NAME}\nTOTAL;;;;;;;;;;3,45\n", "utf-8")
    assert [each.named.name for each in imports.debtors(path)] == ["MARTIN Alice"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"{BY_NAME};06/12/2026", "12 cellules au lieu de 11"),
        ("MARTIN Alice;1 rue des Lilas;A1", "date_emission"),
        ("MARTIN Alice", "numero_facture"),
    ],
)
def test_a_line_too_long_or_too_short_shifts_nothing(
    town: None, load: Load, line: str, why: str
) -> None:
    codes.confirm({Named("", "MARTIN ALICE", "1 RUE DES LILAS", ""): "F1"}, "Dominique")
    with pytest.raises(BadFile, match=why):
        load(f"{OURS}{line}\n")
    assert Invoice.select().count() == 0


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.xml"
    other = piece(line("1.00", name="PETIT", first="BOB"), number="2", at=7)
    path.write_bytes(pes(piece(line()), other, total="88.45"))
    return path


def test_the_command_shows_confirms_and_forgets(town: None, run: Run, export: Path) -> None:
    shown = run("codes", "list", str(export)).output
    assert shown.splitlines()[0].endswith("proposé : F1")
    assert run("codes", "confirm", str(export), "--proposed", "2=f3").exit_code == 0
    assert {found.code for found in imports.debtors(export)} == {"F1", "F3"}
    assert "PETIT BOB" in run("codes", "list").output
    assert run("import", str(export)).exit_code == 0
    assert run("codes", "forget", "1").exit_code == 0
    assert Debtor.select().count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("confirm", "3=F1"),
        ("confirm", "F1"),
        ("confirm", "1=F9"),
        ("confirm", "0=F1"),
        ("forget", ""),
    ],
)
def test_the_command_refuses_in_a_sentence(
    town: None, run: Run, export: Path, arguments: tuple[str, str]
) -> None:
    action, said = arguments
    asked = ("codes", action, str(export), said) if said else ("codes", action, "9")
    result = run(*asked)
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert Debtor.select().count() == 0


def test_a_file_that_names_codes_asks_for_none(town: None, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code_famille;role\n", "utf-8")
    assert sentences.NO_CODE_ASKED in run("codes", "list", str(tmp_path / "a.csv")).output

"""A families file is the whole record of those it lists, and takes nothing away unasked."""

import hashlib
import json
from datetime import date

import pytest

from kiosque.db import write
from kiosque.db.models import (
    Child,
    Enrolment,
    Family,
    Guardian,
)
from kiosque.families import records
from kiosque.invoices.imports import BadFile, Confirmed
from kiosque.privacy.erasure import reduce
from tests import fresh_databases, sentences
from tests.conftest import NOW, Clock
from tests.kiosque.invoices.files import (
    CONFIRMED,
    FAMILIES,
    ONE_LINE,
    ROW,
    Load,
    faults,
    sheet,
)

# --- Families ---


def test_a_families_file_is_the_whole_record_of_those_it_lists(load: Load) -> None:
    load(FAMILIES)
    load(FAMILIES.replace("Bob", "Robert"), confirmed=Confirmed(removals=True))
    family = Family.get()
    assert (family.name, family.city) == ("Martin - Petit", "Sautron")
    assert sorted(guardian.first_name for guardian in Guardian.select()) == ["Alice", "Robert"]
    assert (Child.get().name, Child.get().born_on) == ("Zoé Martin", date(2019, 5, 1))
    assert Enrolment.select().count() == 2


def test_a_families_file_loaded_again_changes_nothing(load: Load) -> None:
    load(FAMILIES)
    load(sheet(ROW.replace("Zoé Œuf", "Noé Martin")))
    Family.update(updated_on=date(2020, 1, 1)).execute()
    summary = load(FAMILIES)
    assert (summary.added, summary.unchanged) == (0, 1)
    assert Family.get().updated_on == date(2020, 1, 1)
    assert sorted(child.name for child in Child.select()) == ["Noé Martin", "Zoé Martin"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Alice@École.fr", "Alice@xn--cole-9oa.fr"),
        ("alice@e\u0301cole.fr", "alice@xn--cole-9oa.fr"),
        ("He\u0301lène@EXAMPLE.org", "Hélène@example.org"),
        ("pas encore", ""),
        ("néant", ""),
        ("mailto:alice@example.org", "alice@example.org"),
        ("<alice@example.org>", "alice@example.org"),
        ("alice@example.org, bob@example.org", "alice@example.org"),
        ("alice@example.org / ALICE@example.org", "alice@example.org"),
        ("", ""),
    ],
)
def test_a_parents_address_is_kept_in_the_one_form_of_addresses(
    load: Load, written: str, kept: str
) -> None:
    load(FAMILIES.replace("alice@example.org", written))
    assert {guardian.email for guardian in Guardian.select()} == {kept, ""}


def test_an_address_loaded_before_there_was_one_form_is_put_in_it_by_the_next_file(
    load: Load,
) -> None:
    load(FAMILIES.replace("alice@example.org", "alice@École.fr"))
    rows = [
        dict(zip(FAMILIES.split("\n", maxsplit=1)[0].split(";"), line.split(";"), strict=True))
        for line in FAMILIES.replace("alice@example.org", "alice@École.fr").split("\n")[1:4]
    ]
    as_it_was = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    Guardian.update(email="alice@École.fr").where(Guardian.email != "").execute()
    Family.update(digest=as_it_was).execute()
    summary = load(FAMILIES.replace("alice@example.org", "alice@École.fr"))
    assert summary.added == 1
    assert Guardian.select().where(Guardian.email == "alice@xn--cole-9oa.fr").exists()


def test_the_same_child_twice_is_named_with_its_line(load: Load) -> None:
    child = FAMILIES.splitlines()[-1]
    assert f"ligne 5 : Zoé Martin {sentences.LISTED_TWICE}" in faults(load, FAMILIES + child + "\n")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("enfant", "chat", "role « chat » : attendu"),
        ("2019-05-01", "hier", "date_naissance"),
        ("Alice", "", "prenom est vide"),
        ("responsable", "enfant", sentences.NO_GUARDIAN),
    ],
)
def test_a_faulty_family_refuses_the_file(load: Load, old: str, new: str, fault: str) -> None:
    assert fault in faults(load, FAMILIES.replace(old, new))


# --- What a file would take away, or make by mistake ---


def test_a_line_that_would_delete_the_rest_of_the_household_is_refused_naming_all_of_it(
    load: Load,
) -> None:
    load(FAMILIES)
    for preview in (True, False):
        with pytest.raises(BadFile) as refused:
            load(ONE_LINE, preview=preview)
        found = str(refused.value)
        assert "ligne 2 : famille F1001, retrait : Bob Petit, responsable" in found
        assert "retrait : Zoé Martin, enfant" in found
        assert sentences.numbers(refused.value.faults[-1].text) == [2]
        assert {fault.needs for fault in refused.value.faults} == {"removals"}
    assert (Guardian.select().count(), Child.select().count()) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2019-05-01", "", "la date de naissance de Zoé Martin"),
        ("|Périscolaire", "", "l’inscription de Zoé Martin à Périscolaire"),
        ("alice@example.org", "", "le courriel de Alice Martin"),
        ("02 61 91 00 01", "", "le téléphone de Alice Martin"),
        ("1 rue", "", "l’adresse"),
    ],
)
def test_whatever_a_file_would_take_away_is_listed_and_wants_to_be_allowed(
    load: Load, old: str, new: str, said: str
) -> None:
    load(FAMILIES)
    with pytest.raises(BadFile, match=f"retrait : {said}"):
        load(FAMILIES.replace(old, new))
    summary = load(FAMILIES.replace(old, new), confirmed=Confirmed(removals=True))
    assert summary.removals == (f"F1001 : {said}",)


def test_a_record_that_changes_without_losing_anything_is_loaded(load: Load) -> None:
    load(FAMILIES)
    changed = FAMILIES.replace("1 rue", "2 rue").replace("Martin;Zoé", "MARTIN;Zoe")
    assert load(changed + "F1001;enfant;Martin;Léa;;;;;;;\n").added == 1
    assert sorted(child.name for child in Child.select()) == ["Léa Martin", "Zoe MARTIN"]


def test_a_code_that_the_record_lacks_is_named_and_wants_to_be_confirmed(load: Load) -> None:
    load(FAMILIES.replace("F1001", "00123"))
    row = ROW.replace("F1001", "123")
    for preview in (True, False):
        with pytest.raises(
            BadFile, match=rf"ligne 2 : famille 123 {sentences.FAMILY_UNKNOWN} .*00123"
        ):
            load(sheet(row), preview=preview)
    with pytest.raises(BadFile, match=f"ligne 2 : famille F9999 {sentences.FAMILY_UNKNOWN}"):
        load(sheet(ROW.replace("F1001", "F9999")))
    assert Family.select().count() == 1
    load(sheet(ROW.replace("F1001", "00123")))
    assert load(sheet(row.replace("0001", "0002")), confirmed=CONFIRMED).new_families == 1


def test_a_families_file_that_lost_its_zeros_makes_no_second_household(load: Load) -> None:
    load(FAMILIES.replace("F1001", "00123"))
    with pytest.raises(BadFile, match=f"famille 123 {sentences.FAMILY_UNKNOWN}"):
        load(FAMILIES.replace("F1001", "123"))
    assert load(FAMILIES.replace("F1001", "F2002")).new_families == 1


# --- Families that were forgotten ---


def test_the_last_file_that_lists_a_family_is_known_even_where_it_changes_nothing(
    load: Load, frozen: Clock
) -> None:
    load(FAMILIES)
    frozen.advance(days=40)
    load(FAMILIES)
    assert Family.get().seen_on == frozen.at.date()
    assert Family.get().updated_on == NOW.date()


@pytest.mark.parametrize("content", [FAMILIES, sheet(ROW)])
def test_no_file_brings_a_forgotten_family_back_unasked(load: Load, content: str) -> None:
    Family.create(code="F1001", name="M.", updated_on=NOW.date(), forgotten_at=NOW)
    with pytest.raises(BadFile, match="famille F1001 oubliée ou effacée"):
        load(content)
    assert (Family.get().name, Guardian.select().count()) == ("M.", 0)
    load(content, confirmed=CONFIRMED)
    assert Family.get().forgotten_at is None
    assert Child.get().family == Family.get()


def test_an_old_invoice_loaded_again_brings_nothing_back(load: Load) -> None:
    load(sheet(ROW))
    with write():
        reduce(Family.get())
    before = fresh_databases.rows(without={"import_batch"})
    assert load(sheet(ROW)).unchanged == 1
    assert fresh_databases.rows(without={"import_batch"}) == before


def test_a_family_is_found_by_any_name_of_its_household_whatever_the_accents(load: Load) -> None:
    load(FAMILIES)
    other = ROW.replace("Zoé Œuf", "Maël d’Été").replace("F1001", "F1002")
    load(sheet(ROW.replace("Zoé Œuf", "Léo"), other.replace("-0001", "-0002")), confirmed=CONFIRMED)
    for words, codes in {
        "zoe": ["F1001"],
        "LÉO petit": ["F1001"],
        "mael": ["F1002"],
        "dete": ["F1002"],
        "d'été maël": ["F1002"],
        "alice maël": [],
    }.items():
        assert [each.code for each in records.search(words)] == codes, words


def test_a_search_is_one_query_whatever_its_words(load: Load, queries: list[str]) -> None:
    load(FAMILIES)
    queries.clear()
    assert records.search("alice bob zoe martin petit")
    assert len(queries) == 1

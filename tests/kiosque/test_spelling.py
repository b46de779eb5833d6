"""Spellings of one name fold alike, those of two names do not."""

import time

import pytest

from kiosque.db.models import known_child
from kiosque.spelling import child_key, fold, fold_words

MULTI_ACCUEIL = [
    "multi-accueil", "MULTI-ACCUEIL", "Multi accueil", "Multiaccueil", "Multi\u2010accueil",
    "Multi\u2011accueil", "Multi\u2013accueil", "Multi\u2014accueil", "Multi\u2212accueil",
    "Multi\u00adaccueil", "Multi\u00a0accueil", "Multi\u202faccueil", "Multi-\u200baccueil",
    "\ufeffMulti-accueil", "Multi_accueil", "Ｍulti－accueil", "Multi - accueil ",
]  # fmt: skip
ZOE = [
    "Zoé Martin", "ZOE MARTIN", "ZOÉ MARTIN", "MARTIN Zoé", "Zoe Martin", "Zoe\u0301 Martin",
    "Zoé\u00a0Martin", "Zoé Mar\u00adtin", "zoé-martin", "Zoé  Martin",
]  # fmt: skip


@pytest.mark.parametrize("spelt", MULTI_ACCUEIL)
def test_a_service_is_one_however_it_is_spelt(spelt: str) -> None:
    assert fold(spelt) == fold("Multi-accueil")


@pytest.mark.parametrize("spelt", ZOE)
def test_a_child_is_one_however_it_is_spelt(spelt: str) -> None:
    assert child_key(spelt) == child_key("Zoé Martin")
    assert known_child({"Zoé Martin", "Léa Martin"}, spelt) == "Zoé Martin"


def test_other_names_stay_apart() -> None:
    names = ["Anne-Marie Dupont", "Marie-Anne Dupont", "Zoé Martin", "Zoé Martinez", "Œ", "E"]
    assert len({child_key(name) for name in names}) == len(names)
    assert fold("Périscolaire matin") != fold("Périscolaire soir")
    assert fold("Tarif A+") != fold("Tarif A")
    assert fold("Œuf d’été") == fold("OEUF D'ETE")


def test_a_first_name_alone_is_a_child_where_one_has_it() -> None:
    assert known_child({"MARTIN Zoé", "MARTIN Léa"}, "zoe") == "MARTIN Zoé"
    assert known_child({"Zoé Martin", "Zoé Petit"}, "Zoé") is None
    assert known_child({"Jean-Paul Martin"}, "Jean") is None


def test_a_word_is_found_within_words_and_not_across_them() -> None:
    assert fold_words("GOUTER") in fold_words("Garderie, goûter compris")
    assert fold_words("repas") not in fold_words("Un autre pas")


def test_marks_without_end_are_folded_soon() -> None:
    began = time.process_time()
    assert fold("Cr" + "e" + "\u0315\u0300" * 100_000 + "che") == "creche"
    assert fold("κρέμα" * 20 + "\u0301") == fold("κρεμα" * 20)
    assert time.process_time() - began < 2

"""One form for an e-mail address, however it was written."""

import pytest

from kiosque.outbox import addresses

SAME = [
    # every way to write it, and the one form it is kept in
    (
        "parent@école.fr",
        "parent@École.FR",
        "parent@e\u0301cole.fr",
        "parent@xn--cole-9oa.fr",
        "parent@XN--COLE-9OA.fr",
        " parent@école。fr ",
    ),
    ("alice@example.org", "alice@EXAMPLE.org", "alice@ｅxample.org"),
    ("hélène@xn--cole-9oa.fr", "he\u0301le\u0300ne@école.fr"),
    ("a@straße.de", "a@xn--strae-oqa.de"),
]


@pytest.mark.parametrize("ways", SAME, ids=lambda ways: ways[0])
def test_the_ways_to_write_one_address_are_kept_as_one(ways: tuple[str, ...]) -> None:
    (kept,) = {addresses.kept(way) for way in ways}
    domain = kept.rpartition("@")[2]
    assert domain.isascii()
    assert domain == domain.lower()
    assert addresses.kept(kept) == kept
    assert len({addresses.key(way) for way in ways}) == 1


def test_case_is_kept_before_the_at_sign_and_does_not_count() -> None:
    assert addresses.kept("Alice.Martin@Example.org") == "Alice.Martin@example.org"
    assert addresses.key("Alice.Martin@Example.org") == addresses.key("alice.martin@example.ORG")
    assert addresses.key("Élodie@x.fr") == addresses.key("e\u0301lodie@x.fr")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alıce@example.org", "alice@example.org"),  # a dotless i
        ("\u0430lice@example.org", "alice@example.org"),  # a Cyrillic a
        ("ｋate@example.org", "kate@example.org"),  # a wide k
        ("ſam@example.org", "sam@example.org"),  # a long s
        ("strauß@example.org", "strauss@example.org"),
        ("helene@example.org", "hélène@example.org"),
        ("a@école.fr", "a@ecole.fr"),
        ("a@xn--cole-9oa.fr", "a@cole-9oa.fr"),
        ("alice+1@example.org", "alice@example.org"),
    ],
)
def test_what_only_looks_the_same_is_another(one: str, other: str) -> None:
    assert addresses.key(one) != addresses.key(other)


@pytest.mark.parametrize(
    "text",
    ["", "alice", "@x.fr", "a@localhost", "a b@x.fr", "Alice <a@x.fr>", "a@☃.fr", "a@xn--a.fr",
     "=?utf-8?q?a=0Ab?=@x.fr", "a@x.fr\r\nBcc: b@x.fr", "\udc80@x.fr", "a\0@x.fr",
     "a@" + "é" * 240 + ".fr", "e\u0301" * 100_000],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_what_is_no_address_is_left_as_it_is_and_is_none(text: str) -> None:
    assert addresses.normal(text) is None
    assert addresses.kept(text) == text
    assert addresses.key(text) == addresses.key(text.upper())


def test_an_address_is_shown_as_its_owner_reads_it() -> None:
    assert addresses.shown("parent@xn--cole-9oa.fr") == "parent@école.fr"
    assert addresses.shown("Alice@example.org") == "Alice@example.org"
    assert addresses.shown("mal écrite") == "mal écrite"


def test_addresses_written_twice_are_taken_once_as_first_kept() -> None:
    written = ["Parent@École.fr", "parent@xn--cole-9oa.fr", "bob@x.fr"]
    assert addresses.distinct(written) == ["Parent@xn--cole-9oa.fr", "bob@x.fr"]

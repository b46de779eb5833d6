"""Rules for every page in every state, read as HTML: structure, titles, tables, fields.

What only a browser can tell (contrast, focus, width) is in tests/browser/test_accessibility.py.
"""

import json
import os
import re
import subprocess
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from justhtml import JustHTML

from tests.pages.stage import BANK_NO_PAGE, NO_PAGE, Seen

VALIDATOR = os.environ.get("W3C_VALIDATOR")

#: RGAA 11.13: a field about the person says which, so that a browser can fill it.
AUTOCOMPLETE = {
    "code": "username",
    "password": "current-password",
    "current": "current-password",
    "new": "new-password",
    "email": "email",
}
#: Where agents sign in.
AUTOCOMPLETE_OFFICE = {**AUTOCOMPLETE, "code": "one-time-code", "email": "username"}


class Page:
    """A page and its tree."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.tree = JustHTML(seen.html, sanitize=False)

    def all(self, selector: str) -> list:
        return list(self.tree.query(selector))

    def text(self, selector: str) -> str:
        return " ".join(self.all(selector)[0].to_text().split())


@pytest.fixture(scope="module")
def _read() -> list[Page]:
    return []


@pytest.fixture
def read(_read: list[Page], pages: list[Seen]) -> list[Page]:
    """Every page, read once: it takes longer than any of the tests."""
    _read += map(Page, pages[len(_read) :])
    return _read


@pytest.fixture
def portal(read: list[Page], app: Flask) -> list[Page]:
    return [page for page in read if page.seen.app.name == app.name]


def test_every_page_there_is_stands_in_the_table_of_states(pages: list[Seen], app: Flask) -> None:
    """A page added to the site, without a state in tests/pages, fails here."""
    bank = next(seen.app for seen in pages if seen.endpoint == "back_office.home")
    for server, known in ((app, NO_PAGE), (bank, BANK_NO_PAGE)):
        shown = {seen.endpoint for seen in pages if seen.app.name == server.name}
        asked = {rule.endpoint for rule in server.url_map.iter_rules() if "GET" in rule.methods}
        assert asked - known - shown == set(), "décrire ces pages dans tests/pages"
        assert known <= asked


def test_every_page_is_html_without_a_single_error_of_syntax(pages: list[Seen]) -> None:
    for seen in pages:
        JustHTML(seen.html, sanitize=False, strict=True)
        # Two errors that this parser forgives, and the W3C's validator does not.
        assert not re.search(r'<\w[^<>]*="[^"<>]*"[^\s<>/]', seen.html), seen.state
        assert not re.search(r'="(True|False|None)"', seen.html), seen.state


@pytest.mark.skipif(not VALIDATOR, reason="validateur du W3C : make validate")
def test_the_w3c_validator_finds_nothing_on_any_page(pages: list[Seen], tmp_path: Path) -> None:
    names = []
    for seen in pages:
        names.append(f"{seen.state}.html".replace(" ", "-"))
        (tmp_path / names[-1]).write_text(seen.html, encoding="utf-8")
    done = subprocess.run(
        ["java", "-jar", VALIDATOR, "--format", "json", "--exit-zero-always", *names],
        cwd=tmp_path,
        timeout=500,
        capture_output=True,
        text=True,
        check=True,
    )
    messages = json.loads(done.stderr)["messages"]
    found = {f"{each['message']} {each.get('extract', '')}": each["url"] for each in messages}
    assert found == {}


def test_every_page_has_its_language_and_room_to_be_enlarged(read: list[Page]) -> None:
    for page in read:
        assert page.all("html")[0].attrs["lang"], page.seen.state
        viewport = page.all("meta[name=viewport]")[0].attrs["content"]
        assert not re.search("maximum-scale|user-scalable", viewport)


def test_every_page_has_one_heading_of_the_first_level_and_skips_none(read: list[Page]) -> None:
    for page in read:
        levels = [int(node.name[1]) for node in page.all("h1, h2, h3, h4, h5, h6")]
        assert levels.count(1) == 1, page.seen.state
        assert levels[0] == 1, page.seen.state
        steps = [after - before for before, after in pairwise(levels)]
        assert max(steps, default=0) <= 1, page.seen.state
        assert page.text("h1"), page.seen.state


def test_every_page_has_its_landmarks_once_and_a_way_past_the_frame(read: list[Page]) -> None:
    for page in read:
        for landmark in ("body > header", "body > main", "body > footer"):
            assert len(page.all(landmark)) == 1, f"{page.seen.state}: {landmark}"
        skip = page.all("body > a.skip")[0]
        assert skip.attrs["href"].removeprefix("#") == page.all("main")[0].attrs["id"]
        names = [node.attrs.get("aria-label") for node in page.all("nav")]
        assert all(names), page.seen.state
        assert len(names) == len(set(names)), page.seen.state


def test_a_title_says_the_page_then_the_site_and_no_two_pages_share_one(
    read: list[Page], portal: list[Page]
) -> None:
    shared = defaultdict(set)
    for page in read:
        title = page.text("title")
        own, _, site = title.partition(" – ")
        assert own, f"{page.seen.state}: {title}"
        in_english = page.all("html")[0].attrs["lang"] == "en"
        bank = "Demonstration bank" if in_english else "Banque de démonstration"
        expected = "Kiosque Famille – Ville de Sautron" if page in portal else bank
        assert site == expected, page.seen.state
        if page.seen.status < 400:
            shared[title].add(page.text("h1"))
    assert {title: found for title, found in shared.items() if len(found) > 1} == {}


def test_identifiers_are_unique_and_what_refers_to_them_finds_them(read: list[Page]) -> None:
    for page in read:
        every = [node.attrs["id"] for node in page.all("[id]")]
        names = set(every)
        assert len(every) == len(names), page.seen.state
        for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
            for node in page.all(f"[{attribute}]"):
                assert set(node.attrs[attribute].split()) <= names, page.seen.state
        for node in page.all("a[href^='#']"):
            assert node.attrs["href"][1:] in names, f"{page.seen.state}: {node.attrs}"


def test_a_table_has_a_caption_and_says_what_its_headers_head(read: list[Page]) -> None:
    tables = 0
    for page in read:
        for table in page.all("table"):
            tables += 1
            assert list(table.query("caption")), page.seen.state
            assert list(table.query("thead th")), page.seen.state
            assert all(node.attrs.get("scope") in ("col", "row") for node in table.query("th")), (
                page.seen.state
            )
    assert tables > 10


def visible_fields(page: Page) -> list:
    fields = page.all("input, select, textarea")
    return [
        node for node in fields if node.attrs.get("type") != "hidden" and "hidden" not in node.attrs
    ]


def test_a_field_has_a_label_and_says_what_a_browser_may_fill_in(
    read: list[Page], portal: list[Page]
) -> None:
    seen = set()
    for page in read:
        labelled = {node.attrs["for"] for node in page.all("label[for]")}
        for node in visible_fields(page):
            assert node.attrs["id"] in labelled, page.seen.state
            if page in portal and node.attrs.get("type") not in ("checkbox", "radio"):
                name = node.attrs["name"]
                seen.add(name)
                assert node.attrs.get("autocomplete"), f"{page.seen.state}: {name}"
                is_office = (page.seen.endpoint or "").startswith("office.")
                known = AUTOCOMPLETE_OFFICE if is_office else AUTOCOMPLETE
                if name in known:
                    assert node.attrs["autocomplete"] == known[name], page.seen.state
    assert set(AUTOCOMPLETE) <= seen


def test_every_control_and_link_has_words_and_links_that_read_alike_lead_alike(
    read: list[Page],
) -> None:
    for page in read:
        targets: dict[str, set[str]] = defaultdict(set)
        for node in page.all("a, button, summary"):
            words = node.attrs.get("aria-label") or " ".join(node.to_text().split())
            assert words or list(node.query("img[alt]")), page.seen.state
            if node.name == "a":
                targets[words].add(node.attrs["href"])
        assert {words: to for words, to in targets.items() if len(to) > 1} == {}, page.seen.state


def test_an_image_says_what_it_shows_or_that_it_shows_nothing(read: list[Page]) -> None:
    for page in read:
        assert all("alt" in node.attrs for node in page.all("img")), page.seen.state


def faulty(page: Page) -> bool:
    """Tell whether the page is a form sent back with errors."""
    return page.seen.status == 422 or bool(page.all("#erreurs"))


def test_errors_are_said_in_the_title_in_a_summary_and_beside_their_fields(
    read: list[Page],
) -> None:
    forms = [page for page in read if faulty(page)]
    assert len(forms) >= 5
    for page in forms:
        state = page.seen.state
        assert page.text("title").startswith("Erreur : "), state
        links = page.all("#erreurs a[href^='#']")
        assert links, state
        assert len(links) == len(page.all("#erreurs li")), state
        fields = {node.attrs["id"]: node for node in visible_fields(page)}
        assert {link.attrs["href"][1:] for link in links} <= set(fields), state
        for node in page.all(".field .error"):
            field = next(
                each for each in fields.values()
                if node.attrs["id"] in each.attrs.get("aria-describedby", "").split()
            )  # fmt: skip
            assert field.attrs["aria-invalid"] == "true", state


def test_pages_without_errors_do_not_announce_any(read: list[Page]) -> None:
    for page in read:
        if not faulty(page) and not page.all("main > form .errors"):
            assert not page.text("title").startswith("Erreur :"), page.seen.state
            assert not page.all("[aria-invalid]"), page.seen.state


def test_what_refreshes_itself_can_be_stopped(portal: list[Page]) -> None:
    refreshed = [page for page in portal if page.all("[data-refresh-after]")]
    assert refreshed
    for page in refreshed:
        stop = page.all("main a[href*='?']")
        assert [node.to_text() for node in stop if "Arrêter" in node.to_text()], page.seen.state

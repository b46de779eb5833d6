"""Whatever the documents point at exists."""

import re
from pathlib import Path

import pytest

from tests.test_layers import FLOORS

ROOT = Path(__file__).parents[1]


def test_every_promise_of_the_leaflet_names_tests_that_exist() -> None:
    written = (ROOT / "docs" / "leaflet.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named = set(re.findall(r": ([a-z_0-9]{20,})", written))
    assert len(named) >= 12
    assert not [name for name in named if f"def test_{name}(" not in tests]


def test_what_is_said_of_accessibility_names_tests_that_exist() -> None:
    written = (ROOT / "docs" / "accessibility.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named = set(re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+){4,}\b", written))
    assert len(named) >= 15
    assert not [name for name in named if f"def test_{name}(" not in tests]


def test_what_a_parent_is_promised_names_tests_that_exist() -> None:
    written = (ROOT / "docs" / "families.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})`", written))
    assert len(named) >= 50
    assert not [name for name in named if f"def test_{name}(" not in tests]


def test_the_links_between_documents_lead_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\"]+)\"", text):
            path = document.parent / "".join(target)
            assert path.exists(), f"{document.name}: {path}"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_file_that_a_guide_to_the_code_names_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    tops = "kiosque|gateways|templates|tests|docs|deploy|scripts|data"
    named = re.findall(rf"`((?:{tops})/[\w/.-]*)`", text)
    assert len(named) >= 15
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_two_readmes_lead_to_each_other_and_have_the_same_chapters_and_commands() -> None:
    english, french = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "LISEZMOI.md")
    )
    assert english.startswith("*[En français](LISEZMOI.md)*\n")
    assert french.startswith("*[In English](README.md)*\n")
    assert len(re.findall("^#", english, re.MULTILINE)) == len(
        re.findall("^#", french, re.MULTILINE)
    )
    commands = re.compile(r"^(?:make|\.venv/bin/python)[^#\n]*", re.MULTILINE)
    assert commands.findall(english) == commands.findall(french)


def test_the_list_of_documents_names_each_of_them() -> None:
    folder = ROOT / "docs"
    listed = re.findall(r"\]\(([a-z-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted([*listed, "README.md"]) == sorted(path.name for path in folder.glob("*.md"))


def test_the_plan_of_the_house_fits_on_two_screens() -> None:
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100


def test_the_plan_of_the_house_draws_the_rooms_as_the_tests_of_imports_do() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = text.split("```")[1].strip("\n").splitlines()
    rooms = [tuple(line[:18].split()) for line in drawn if line[:18].strip()]
    above_the_resources = [*reversed(FLOORS[1:]), ("gateways",)]
    assert [set(floor) for floor in rooms] == [set(floor) for floor in above_the_resources]


def test_the_plan_of_the_payments_names_each_module_once() -> None:
    text = (ROOT / "docs" / "payments.md").read_text(encoding="utf-8")
    table = text.partition("| | Modules |")[2].partition("\n\n")[0]
    here = {path.stem for path in (ROOT / "kiosque" / "payments").glob("[!_]*")}
    assert sorted(re.findall(r"`(\w+)`", table)) == sorted(here)


@pytest.mark.parametrize("document", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]))
def test_every_python_file_that_a_document_names_exists(document: Path) -> None:
    named = re.findall(r"`([\w/]+\.py)`", document.read_text(encoding="utf-8"))
    folders = ("kiosque", "gateways", "scripts", "tests", "data")
    ours = [ROOT / "app.py", *(path for each in folders for path in (ROOT / each).rglob("*.py"))]
    assert not [name for name in named if not any(path.match(name) for path in ours)]

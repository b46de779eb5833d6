"""What the documents point at exists."""

import re
from pathlib import Path

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


def test_the_links_between_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\"]+)\"", text):
            path = document.parent / "".join(target)
            assert path.exists(), f"{document.name}: {path}"

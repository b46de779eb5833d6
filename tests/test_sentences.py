"""Sentences that tests look for stand in the sources: else "it is not said" would always hold."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sentences

ROOT = Path(__file__).parents[1]
SENTENCES = {name: text for name, text in vars(sentences).items() if name.isupper()}


@pytest.fixture(scope="module")
def sources() -> str:
    """Every source and template, each text of several lines put together."""
    files = [
        path
        for folder in ("deploy", "gateways", "kiosque", "templates")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".conf", ".py", ".html", ".txt", ".typ")
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return re.sub(r'"\s+f?"', "", text).replace("\\u00a0", "\u00a0")


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_of_the_tests_is_one_of_the_sites(sources: str, name: str) -> None:
    assert SENTENCES[name] in sources


def test_a_sentence_that_tests_look_for_twice_is_written_once(sources: str) -> None:
    written = Counter(
        text
        for path in (ROOT / "tests").rglob("*.py")
        for text in _looked_for(ast.parse(path.read_text(encoding="utf-8")))
        if text in sources
    )
    assert [text for text, times in written.items() if times > 1] == []


def _looked_for(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of four words and more that the asserts of a module hold."""
    for asserted in (node for node in ast.walk(tree) if isinstance(node, ast.Assert)):
        texts = (node.value for node in ast.walk(asserted) if isinstance(node, ast.Constant))
        yield from (
            text.strip() for text in texts if isinstance(text, str) and len(text.split()) > 3
        )

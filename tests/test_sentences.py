"""Sentences that tests look for stand in the sources: else "it is not said" would always hold."""

import re
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

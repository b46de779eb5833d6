"""A sentence of the books names a way out: a terminal reads its command, a page its button."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque.cli.entry import main
from kiosque.payments.cited_commands import Way
from kiosque.web.office.button_words import BUTTONS, on_page

ROOT = Path(__file__).parents[4]
#: What pages may show: the commands themselves, and what only watches the machine, are apart.
ROOMS = ("payments", "invoices", "deposits", "statements", "closings", "staff", "web")
#: The names of commands, and of things besides, are no sentence: those of two words at least.
_COMMAND = re.compile(r"(?<![\w/.-])(--[a-z]{3}[a-z-]*|[a-z]+(?:-[a-z]+)+)(?![\w/-])")
_BY_TERMINAL = {"cited_commands.py", "steps.py"}


def words() -> Iterator[tuple[Path, str]]:
    """Every French text of the code that a page may show."""
    for path in (path for room in ROOMS for path in (ROOT / "kiosque" / room).rglob("*.py")):
        nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
        documented = {node.value for node in nodes if isinstance(node, ast.Expr)}
        texts = {node for node in nodes if isinstance(node, ast.Constant)} - documented
        if path.name not in _BY_TERMINAL:
            yield from ((path, each.value) for each in texts if " " in str(each.value))


def test_no_sentence_that_a_page_may_show_types_a_command_itself() -> None:
    commands = {name for name in main.commands if "-" in name}
    typed = [
        (path.name, found)
        for path, text in words()
        for found in _COMMAND.findall(str(text))
        if found in commands or found.startswith("--")
    ]
    assert typed == []


@pytest.mark.parametrize("way", list(Way))
def test_each_way_is_a_command_for_a_terminal_and_a_button_for_a_page(way: Way) -> None:
    sentence = f"Faites ceci ({way}), puis cela."
    shown = on_page(sentence)
    assert way not in shown
    assert all(words in shown for words in BUTTONS[way])


@pytest.mark.parametrize("way", [way for way in Way if not way.startswith("--")])
def test_each_way_is_a_command_that_is_there(way: Way) -> None:
    for typed in way.split(", "):
        assert typed.split()[0] in main.commands

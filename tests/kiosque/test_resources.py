"""The commands advised are those that the town types."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from kiosque import resources

ROOT = Path(__file__).parents[2]


def test_a_command_is_named_as_this_machine_types_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIOSQUE_COMMAND", raising=False)
    assert resources.typed("verify") == "python app.py verify"
    monkeypatch.setattr(resources, "SOURCE_TREE", None)
    assert resources.typed("verify") == "kiosque verify"
    monkeypatch.setenv("KIOSQUE_COMMAND", "kiosque sautron")
    assert resources.typed("verify") == "kiosque sautron verify"


def test_how_commands_are_typed_is_no_setting(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_COMMAND", "kiosque sautron")
    assert run("todo").exit_code == 0


def test_no_message_names_a_command_in_another_way() -> None:
    sources = [*(ROOT / "kiosque").rglob("*.py"), *(ROOT / "templates").rglob("*.*")]
    asked = re.compile(r"python app\.py (?!COMMAND)\w|/usr/bin/python")
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    assert [path.name for path, text in texts.items() if asked.search(text)] == ["resources.py"]

"""Imports only go down: the rooms of the house, from docs/architecture.md."""

import ast
import sys
import tomllib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: From the ground up: a room imports from its own floor's rooms never, from those below freely.
FLOORS = (
    ("resources", "spelling", "os_errors", "invalid_values", "version"),
    ("settings", "language"),
    ("db",),
    ("outbox",),
    ("families", "payments"),
    ("backups", "invoices"),
    ("deposits",),
    ("statements",),
    ("closings",),
    ("papers", "staff"),
    ("mails",),
    ("privacy",),
    ("monitoring",),
    ("web", "chores"),
    ("checkup", "demo"),
    ("upgrade",),
    ("cli",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
#: For `web` only.
FORBIDDEN = {"flask", "flask_login", "flask_wtf", "wtforms"}


@cache
def imports_of(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Import, ast.ImportFrom)
    return tuple(node for node in ast.walk(tree) if isinstance(node, kinds))


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, as a dotted name."""
    for node in imports_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "kiosque").parts[0].removesuffix(".py")


def in_rooms() -> list[Path]:
    """The modules of the rooms; what assembles them stands outside."""
    return [path for path in (ROOT / "kiosque").rglob("*.py") if room_of(path) != "__init__"]


def test_every_room_has_its_floor_and_imports_only_from_below() -> None:
    for path in in_rooms():
        room = room_of(path)
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "kiosque" and parts[1:2] not in ([], [room]):
                assert FLOOR_OF[parts[1]] < FLOOR_OF[room], f"{path} imports {name}"


def test_every_room_says_what_it_holds_what_it_may_import_and_its_way_in() -> None:
    for room in FLOOR_OF.keys() - {
        "chores",
        "resources",
        "spelling",
        "os_errors",
        "invalid_values",
        "version",
    }:
        text = (ROOT / "kiosque" / room / "__init__.py").read_text(encoding="utf-8")
        said = ast.get_docstring(ast.parse(text)) or ""
        said = said.partition("\n\nThe rules kept here:")[0]
        assert 3 <= len(said.splitlines()) <= 7, room
        assert "import" in said, room
        assert "he way in: " in " ".join(said.split()), room


def test_only_the_pages_know_the_web_framework() -> None:
    for path in in_rooms():
        if room_of(path) != "web":
            assert not FORBIDDEN & {name.split(".")[0] for name in imported(path)}, path


def test_adapters_know_neither_the_portal_nor_a_framework_nor_a_database() -> None:
    for path in (ROOT / "gateways").rglob("*.py"):
        tops = {name.split(".")[0] for name in imported(path)}
        assert "kiosque" not in tops, path
        if path.parent.name != "sandbox" or path.name == "__init__.py":
            assert not (FORBIDDEN | {"peewee", "sqlite3"}) & tops, path


def test_the_contract_needs_the_standard_library_only() -> None:
    contract = {
        f"gateways.{name}" for name in ("base", "notification", "errors", "reading", "records")
    }
    for module in contract:
        found = set(imported(ROOT / f"{module.replace('.', '/')}.py"))
        ours = {name for name in found if name.partition(".")[0] == "gateways"}
        assert {".".join(name.split(".")[:2]) for name in ours} <= contract
        assert {name.partition(".")[0] for name in found - ours} <= sys.stdlib_module_names


def dependencies(path: Path, modules: Collection[str]) -> set[str]:
    """The modules of ours that a file imports: `from package import module` is the module's."""
    found = set()
    for node in imports_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in modules else node.module)
    return found & set(modules)


def test_no_module_imports_itself_in_a_circle() -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "kiosque").rglob("*.py")
    }
    edges = {name: dependencies(path, files.keys()) for name, path in files.items()}
    for module, targets in edges.items():
        seen, todo = set(), sorted(targets)
        while todo:
            target = todo.pop()
            assert target != module, f"{module} imports itself in a circle"
            if target not in seen:
                seen.add(target)
                todo += sorted(edges[target])


def test_a_view_is_fifteen_lines_at_most() -> None:
    """A page asks the rooms below, and shows their answer."""
    for path in (ROOT / "kiosque" / "web" / "views").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                said = node.body[1:] if ast.get_docstring(node) else node.body
                assert (node.end_lineno or 0) - said[0].lineno < 15, f"{path}: {node.name}"


def test_the_modules_in_which_no_fault_is_put_write_nothing() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name in pyproject["tool"]["mutmut"]["do_not_mutate"]:
        written = {each for each in imported(ROOT / name) if each.startswith("kiosque.db.")}
        assert not written & {
            "kiosque.db.write",
            "kiosque.db.require_write",
            "kiosque.db.prepared.PreparedInsert",
            "kiosque.db.execute_many",
        }, name

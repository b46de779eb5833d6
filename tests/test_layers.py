"""Imports only go down: the floors of the house, from docs/architecture.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = {
    0: {
        "money",
        "counts",
        "clock",
        "colours",
        "states",
        "checks",
        "config",
        "i18n",
        "cldr",
        "emails",
        "issuer",
    },
    1: {"peewee_alone", "database", "models", "prepared", "sql", "migrations"},
    2: {
        "payments",
        "leases",
        "relocation",
        "reconcile",
        "verification",
        "imports",
        "journal",
        "mail",
        "notices",
        "outbox",
        "documents",
        "listing",
        "pdf",
        "attestation",
        "texts",
        "accounts",
        "tokens",
        "credentials",
        "letters",
        "passwords",
        "sessions",
        "signin",
        "throttle",
        "security",
        "probe",
        "checkup",
    },
    3: {
        "forms",
        "access",
        "languages",
        "errors",
        "headers",
        "cookies",
        "proxy",
        "templating",
        "assets",
        "views",
        "cli",
        "usage",
        "demo",
    },
    4: {"__init__"},
}
FLOOR_OF = {module: floor for floor, modules in FLOORS.items() for module in modules}
# What each floor may not know of, besides the floors above it.
FORBIDDEN = {"flask", "flask_login", "flask_wtf", "wtforms"}


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, as a dotted name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(path: Path) -> int:
    return FLOOR_OF[path.relative_to(ROOT / "kiosque").parts[0].removesuffix(".py")]


def test_every_module_has_its_floor_and_imports_only_from_it_or_below() -> None:
    for path in (ROOT / "kiosque").rglob("*.py"):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "kiosque" and len(parts) > 1 and parts[1] in FLOOR_OF:
                assert FLOOR_OF[parts[1]] <= floor_of(path), f"{path} imports {name}"


def test_the_rules_know_nothing_of_the_web_framework() -> None:
    for path in (ROOT / "kiosque").rglob("*.py"):
        if floor_of(path) < 3:
            assert not FORBIDDEN & {name.split(".")[0] for name in imported(path)}, path


def test_adapters_know_neither_the_portal_nor_a_framework_nor_a_database() -> None:
    for path in (ROOT / "gateways").rglob("*.py"):
        tops = {name.split(".")[0] for name in imported(path)}
        assert "kiosque" not in tops, path
        if path.parent.name != "sandbox" or path.name == "__init__.py":
            assert not (FORBIDDEN | {"peewee", "sqlite3"}) & tops, path


def test_the_contract_needs_the_standard_library_only() -> None:
    tops = {name.split(".")[0] for name in imported(ROOT / "gateways" / "base.py")}
    assert tops <= {"collections", "dataclasses", "datetime", "enum", "typing", "urllib"}


def test_no_module_imports_itself_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for path in (ROOT / "kiosque").rglob("*.py"):
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        # The assembling package is at the head of every dotted name.
        edges[own] = set(imported(path)) - {own, "kiosque"}
    for module, targets in edges.items():
        seen, todo = set(), sorted(targets & edges.keys())
        while todo:
            target = todo.pop()
            assert target != module, f"{module} imports itself in a circle"
            if target not in seen:
                seen.add(target)
                todo += sorted(edges[target] & edges.keys())

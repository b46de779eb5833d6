"""Plain code: no private name of a library, which may change without a word; plain docstrings."""

import ast
import builtins
import importlib.util
import inspect
import pkgutil
import re
import statistics
import types
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import gateways
import kiosque

ROOT = Path(__file__).parents[1]
MODULES = sorted((*(ROOT / "kiosque").rglob("*.py"), *(ROOT / "gateways").rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


#: Documented by their libraries, though they begin with `_`: Peewee's `Model._meta`, and what
#: named tuples have.
DOCUMENTED = {"_meta", "_asdict", "_fields", "_make", "_replace"}
#: Python's own.
LANGUAGE = {
    name
    for kind in (type, dict, str, BaseException, types.FunctionType, types.ModuleType)
    for name in (*dir(kind), "__file__")
}
#: Once used here, whatever now bears the name.
NEVER = {"__data__", "__exception_wrapper__", "__rel__", "_dirty", "_pk", "_state"}
#: PostgreSQL's driver is an extra.
PSYCOPG = importlib.util.find_spec("psycopg") is not None
WITH_PSYCOPG = {
    "kiosque.db.postgresql",
    "kiosque.db.postgresql_address",
    "kiosque.db.psycopg_values",
}


def private(name: str) -> bool:
    return name.startswith("_") and name not in DOCUMENTED and name not in LANGUAGE


def bound(tree: ast.AST) -> Iterator[str]:
    """Give the names that a module binds: functions, classes, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def used(tree: ast.AST) -> Iterator[str]:
    """Give the names that a module looks up in something else: `x.name`, `getattr(x, "name")`,
    and what it imports from outside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            ours = (node.module or "").partition(".")[0] in ("kiosque", "gateways")
            yield from (alias.name for alias in node.names if not ours)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr"):
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def foreign(tree: ast.AST, ours: set[str]) -> set[str]:
    """Return the private names that a module uses and that are not `ours`, nor its own."""
    names = {name for name in used(tree) if private(name)}
    return names - ours - set(bound(tree)) | names & NEVER


@pytest.mark.slow
def test_no_module_uses_a_private_name_of_a_library() -> None:
    trees = {path: tree_of(path) for path in MODULES}
    by_folder: dict[Path, set[str]] = {}
    for path, tree in trees.items():
        by_folder.setdefault(path.parent, set()).update(bound(tree))
    found = {
        str(path.relative_to(ROOT)): names
        for path, tree in trees.items()
        if (names := foreign(tree, by_folder[path.parent]))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("row._dirty.clear()", {"_dirty"}),
        ("from peewee import __exception_wrapper__", {"__exception_wrapper__"}),
        ('getattr(user, "_get_current_object")()', {"_get_current_object"}),
        ("self._pk = 1", {"_pk"}),
        ("self._kept = 1; self._kept", set()),
        ("Model._meta.fields; type(x).__name__", set()),
    ],
)
def test_a_private_name_is_seen(source: str, names: set[str]) -> None:
    assert foreign(ast.parse(source), set()) == names


def modules() -> Iterator[ModuleType]:
    for package in (kiosque, gateways):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in each.name and (PSYCOPG or each.name not in WITH_PSYCOPG):
                yield importlib.import_module(each.name)


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("kiosque", "gateways")


def test_no_class_of_ours_overrides_a_private_method_of_a_library() -> None:
    found = {
        f"{kind.__qualname__}.{name}"
        for module in modules()
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if is_ours(kind.__module__)
        for name, member in vars(kind).items()
        if private(name) and inspect.isfunction(member) and is_ours(member.__module__)
        for base in kind.__mro__[1:]
        if not is_ours(base.__module__) and name in vars(base)
    }
    assert found == set()


def lines_of(function: ast.FunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_functions_and_modules_are_short() -> None:
    trees = {path: tree_of(path) for path in MODULES}
    functions = [
        (lines_of(node), f"{path.stem}.{node.name}")
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    assert max(functions)[0] <= 40, max(functions)
    assert statistics.median(lines for lines, _ in functions) <= 8
    for path in (ROOT / "app.py", *MODULES, *(ROOT / "scripts").glob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
    assert len((ROOT / "kiosque" / "__init__.py").read_text(encoding="utf-8").splitlines()) <= 120


def test_a_class_has_a_name_of_its_own() -> None:
    """A name is looked for in the whole house. `Meta` is the word of Peewee and of WTForms."""
    names = Counter(
        node.name
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == {"Meta"}


def test_an_error_that_a_docstring_names_exists() -> None:
    known, named = (
        {"Abort", "Account", *dir(builtins)},
        set(),
    )  # `click.Abort`, `Account.DoesNotExist`
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                known.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                known |= {alias.asname or alias.name for alias in node.names}
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                said = " ".join((ast.get_docstring(node) or "").split())
                for names in re.findall(r"\bRaises? ((?:[A-Z][a-z]\w+(?:, )?)+)", said):
                    named |= {(name, str(path.relative_to(ROOT))) for name in names.split(", ")}
    assert [each for each in sorted(named) if each[0] and each[0] not in known] == []


def test_no_docstring_begins_as_a_question() -> None:
    """A noun says what a module or a class is, an imperative what a function does."""
    folders = ("kiosque", "gateways", "data", "scripts", "tests")
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in re.findall(r'^ *"""(?:What|Whether)\b.*', path.read_text("utf-8"), re.MULTILINE)
    ]
    assert found == []

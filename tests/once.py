"""Make once a process, not once for each test: templates and addresses compiled, styles
compressed, a password judged, the adapters that are installed looked for. `conftest.py` puts it in
force."""

import sys
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from types import CodeType
from typing import Any, ClassVar

import zxcvbn
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from gateways import registry as gateways
from kiosque.invoices.imports.formats import registry as formats
from kiosque.settings import Settings
from kiosque.web import assets


class _Templates(BytecodeCache):
    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.code


class _Rule(Rule):
    """An address of the site. To compile them all takes thirty milliseconds."""

    compiled: ClassVar[dict[tuple[object, ...], dict[str, object]]] = {}

    def compile(self) -> None:
        ways = (self.strict_slashes, self.merge_slashes, repr(self.defaults))
        key = (self.rule, self.endpoint, frozenset(self.methods or ()), ways)
        if known := self.compiled.get(key):
            vars(self).update(known, map=self.map)
        else:
            super().compile()
            self.compiled[key] = vars(self).copy()


@cache
def _installed(group: str, _path: tuple[str, ...]) -> EntryPoints:
    return entry_points(group=group)


def _entry_points(group: str) -> EntryPoints:
    return _installed(group, tuple(sys.path))


_build, _judge = assets.build, zxcvbn.zxcvbn
_styled: dict[str, assets.Assets] = {}
_judged: dict[tuple[object, ...], dict[str, Any]] = {}


def _assets(settings: Settings) -> assets.Assets:
    """Of a town without a logo, they depend on its colour alone."""
    if assets.logo_of(settings):
        return _build(settings)
    colour = settings.town.colour
    if colour not in _styled:
        _styled[colour] = _build(settings)
    return _styled[colour]


def _zxcvbn(password: str, user_inputs: list[str], max_length: int) -> dict[str, Any]:
    key = (password, *user_inputs, max_length)
    if key not in _judged:
        _judged[key] = _judge(password, user_inputs, max_length)
    return _judged[key]


def put_in_force() -> None:
    assets.build, zxcvbn.zxcvbn = _assets, _zxcvbn
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Templates()}
    Flask.url_rule_class = _Rule
    gateways.entry_points = formats.entry_points = _entry_points

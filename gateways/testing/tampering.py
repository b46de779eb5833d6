"""Spoil a genuine message or answer in each of its parts, whatever its shape: form, JSON, address,
headers, raw bytes."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from gateways.base import BadCallback, Callback
from gateways.notification import MAX_FIELDS
from gateways.reading import form_pairs

#: Headers of HTTP, which the bank does not sign.
_OF_HTTP = frozenset({"content-type", "content-length", "host", "user-agent", "accept"})
#: Values put in place of each value of an answer.
_ODD: tuple[object, ...] = (
    None,
    "",
    "x",
    "é\0",
    True,
    -1,
    1.5,
    1e2,
    10**30,
    [],
    {},
    [{}],
    {"x": []},
)
Part = tuple[str, Callback]
Pairs = list[tuple[str, str]]


def changed(callback: Callback, change: Callable[[str], str]) -> Iterator[Part]:
    """Yield (the name of a part, the message with this part changed) for each part."""

    def one(pairs: Pairs, index: int) -> Pairs:
        name, value = pairs[index]
        return [*pairs[:index], (name, change(value)), *pairs[index + 1 :]]

    yield from (part for part in _each(callback, one) if part[1] != callback)
    for path, value in _leaves(_json(callback)):
        new = change(value) if isinstance(value, str) else change(json.dumps(value))
        yield ".".join(map(str, path)), _with_json(callback, _put(_json(callback), path, new))


def lacking(callback: Callback) -> Iterator[Part]:
    """Yield the message without each of its parts in turn."""
    yield from _each(callback, lambda pairs, index: [*pairs[:index], *pairs[index + 1 :]])
    for path, _ in _leaves(_json(callback)):
        yield ".".join(map(str, path)), _with_json(callback, _drop(_json(callback), path))


def repeated(callback: Callback) -> Iterator[Part]:
    """Yield the message with each of its fields repeated, with the same value or another."""
    told = _json(callback)
    for name, value in told.items() if isinstance(told, dict) else ():
        member = json.dumps({name: value})[1:].encode()
        yield name, replace(callback, body=callback.body.rstrip()[:-1] + b", " + member)
    pairs = _form(callback)
    for name, value in pairs:
        for again in (value, f"{value}0"):
            yield name, replace(callback, body=urlencode([*pairs, (name, again)]).encode())


def spoilt(answer: Any) -> Iterator[Any]:
    """Yield a JSON answer with each of its values missing or of another kind; bytes, truncated or
    replaced."""
    if isinstance(answer, bytes):
        yield from (b"", answer[: len(answer) // 2], b"<html><body>Erreur</body></html>", b"{}")
        return
    yield {}
    for path, _ in _nodes(answer):
        yield _drop(answer, path)
        for odd in _ODD:
            yield _put(answer, path, odd)


def _each(callback: Callback, edit: Callable[[Pairs, int], Pairs]) -> Iterator[Part]:
    """Yield each edit of one field of the body, of one of the address, of one header."""
    body, query = _form(callback), form_pairs(callback.query.encode(), MAX_FIELDS)
    for index, (name, _) in enumerate(body):
        yield name, replace(callback, body=urlencode(edit(body, index)).encode())
    for index, (name, _) in enumerate(query):
        yield name, replace(callback, query=urlencode(edit(query, index)))
    headers = list(callback.headers.items())
    for index, (name, _) in enumerate(headers):
        if name.lower() not in _OF_HTTP:
            yield name, replace(callback, headers=dict(edit(headers, index)))


def _form(callback: Callback) -> Pairs:
    try:
        return callback.pairs()
    except BadCallback:
        return []


def _json(callback: Callback) -> Any:
    try:
        return callback.json()
    except BadCallback:
        return {}


def _with_json(callback: Callback, value: object) -> Callback:
    return replace(callback, body=json.dumps(value).encode())


def _nodes(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (path, value) of everything inside a tree of JSON."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for name, value in inside:
        yield (*path, name), value
        if isinstance(value, dict | list):
            yield from _nodes(value, (*path, name))


def _leaves(tree: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    return ((path, value) for path, value in _nodes(tree) if not isinstance(value, dict | list))


def _put(tree: Any, path: tuple[Any, ...], value: object) -> Any:
    copy = place = deepcopy(tree)
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


def _drop(tree: Any, path: tuple[Any, ...]) -> Any:
    copy = place = deepcopy(tree)
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return copy

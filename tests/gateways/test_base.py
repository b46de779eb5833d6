"""A bank's request is read strictly or not at all."""

from collections.abc import Callable
from typing import Any

import pytest

from gateways.base import BadCallback, Callback, Outcome, Report, Unreachable
from gateways.notification import MAX_FIELDS
from gateways.reading import MAX_CENTS, cents, tables, word

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
JSON = {"Content-Type": "application/json"}


def form(body: bytes) -> Callback:
    return Callback("POST", FORM, body)


def test_blank_values_accents_and_plus_signs_are_kept_as_sent() -> None:
    callback = form(b"a=&b=%C3%A9&c=1%2B2&d=x+y")
    assert callback.form() == {"a": "", "b": "é", "c": "1+2", "d": "x y"}
    assert Callback.of_form(callback.pairs()).form() == callback.form()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"a=1", JSON),
        (b"a=1", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"a=1", {}),
        (b"a=%FF%FE", FORM),
        (b"a=\xff", FORM),
        (b"a=%00", FORM),
        (b"no equals sign", FORM),
        (b"&".join(b"f%d=1" % i for i in range(MAX_FIELDS + 1)), FORM),
        (b"\x1f\x8b\x08\x00gzip", FORM),
    ],
)
def test_what_is_not_a_form_in_utf8_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(BadCallback):
        Callback("POST", headers, body).form()


def test_a_repeated_name_is_refused() -> None:
    with pytest.raises(BadCallback, match="répété"):
        form(b"a=1&b=2&a=1").form()
    assert form(b"a=1&b=2&a=1").pairs() == [("a", "1"), ("b", "2"), ("a", "1")]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON;charset=utf-8",
                                  "application/hal+json"])  # fmt: skip
def test_a_json_object_is_read_whatever_its_kind(kind: str) -> None:
    callback = Callback("POST", {"content-type": kind}, '{"a": {"b": ["é", 1]}}'.encode())
    assert callback.json() == {"a": {"b": ["é", 1]}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b"{" + b",".join(b'"f%d": 1' % i for i in range(MAX_FIELDS + 1)) + b"}",
        b'{"a": [' + b",".join([b'{"x": 1}'] * MAX_FIELDS) + b"]}",
    ],
)
def test_what_is_not_one_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        Callback("POST", JSON, body).json()


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_a_body_is_read_of_a_post_only_and_an_address_of_a_get_only(method: str) -> None:
    for headers, read in ((FORM, "form"), (JSON, "json")):
        with pytest.raises(BadCallback):
            getattr(Callback(method, headers, b"{}"), read)()
    with pytest.raises(BadCallback):
        Callback("POST", query="a=1").parameters()
    assert Callback("GET", query="a=1&b=%C3%A9").parameters() == {"a": "1", "b": "é"}
    for query in ("a=1&a=1", "a=%FF", "x"):
        with pytest.raises(BadCallback):
            Callback("GET", query=query).parameters()


def test_a_header_is_found_whatever_its_case_and_is_ascii_or_refused() -> None:
    callback = Callback("POST", {"X-Sceau": "abc", "X-Autre": "é"})
    assert (callback.header("x-sceau"), callback.header("X-Absent")) == ("abc", "")
    with pytest.raises(BadCallback):
        callback.header("x-autre")
    with pytest.raises(BadCallback):
        Callback("POST", {"X-Sceau": "a", "x-sceau": "b"}).header("X-Sceau")


def test_the_names_of_a_refused_message_are_told_and_no_value() -> None:
    assert form(b"a=1&b=2&a=3").names() == ["a", "b"]
    assert Callback.of_json({"a": 1, "b": {"c": 2}}).names() == ["a", "b"]
    assert Callback("GET", query="a=1").names() == ["a"]
    assert Callback("POST", {"Content-Type": "text/plain"}, b"secret").names() == []


def test_an_amount_in_cents_is_an_integer_or_digits_alone() -> None:
    assert [cents(value) for value in (0, 4520, "4520", "0042")] == [0, 4520, 4520, 42]
    odd = (1e2, 45.2, True, None, -1, 10**12, "10.00", "1e2", "-1", "+1", " 1", "1_0", "٤", "", [])
    for value in odd:
        for refused in (BadCallback, Unreachable):
            with pytest.raises(refused):
                cents(value)


def test_a_word_and_a_list_of_objects_are_what_they_say_or_refused() -> None:
    assert (word("tr_1.2-A"), word("EUR", "[A-Z]{3}")) == ("tr_1.2-A", "EUR")
    assert (tables([]), tables([{"a": 1}])) == ([], [{"a": 1}])
    wrong: list[Callable[[], object]] = [
        *(lambda odd=odd: word(odd) for odd in ("", "a b", "a\n", "é", "x" * 65, None, 1, [], {})),
        *(lambda odd=odd: tables(odd) for odd in (None, {}, "x", [1], [{}, None])),
    ]
    for read in wrong:
        for refused in (BadCallback, Unreachable):
            with pytest.raises(refused):
                read()


@pytest.mark.parametrize("amount", [True, 45.2, "4520", None, -1, MAX_CENTS])
def test_an_adapter_reports_no_amount_that_is_no_count_of_cents(amount: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Report("order", Outcome.PAID, amount, "EUR", "transaction")

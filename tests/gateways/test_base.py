"""A bank's request is read strictly or not at all."""

import pytest

from gateways.base import BadCallback, Callback

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}


def test_blank_values_accents_and_plus_signs_are_kept_as_sent() -> None:
    callback = Callback.from_form(b"a=&b=%C3%A9&c=1%2B2&d=x+y", FORM)
    assert callback.fields == (("a", ""), ("b", "é"), ("c", "1+2"), ("d", "x y"))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"a=1", {"Content-Type": "application/json"}),
        (b"a=1", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"a=1", {}),
        (b"a=%FF%FE", FORM),
        (b"a=\xff", FORM),
        (b"no equals sign", FORM),
        (b"&".join(b"f%d=1" % i for i in range(10_000)), FORM),
        (b"\x1f\x8b\x08\x00gzip", FORM),
    ],
)
def test_what_is_not_a_form_in_utf8_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(BadCallback):
        Callback.from_form(body, headers)


def test_a_repeated_name_is_refused() -> None:
    with pytest.raises(BadCallback, match="répété"):
        Callback.from_form(b"a=1&b=2&a=1", FORM).single_values()

"""The log: one number a request, which the page shows, and nothing that a visitor wrote."""

import json
import logging
import re
from dataclasses import replace
from functools import wraps

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import create_app
from kiosque.settings import Settings
from kiosque.web import log

NUMBER = "7f3a2b1c"
LINE = re.compile(r'([a-z]+)=("(?:[^"\\]|\\.)*"|[^ "]+)(?: |$)')


@pytest.fixture(autouse=True)
def _begun() -> None:
    log.init_app()


def lines(text: str) -> list[dict[str, str]]:
    """Every line that the site wrote, as the names and values that it is made of."""
    found = []
    for line in text.splitlines():
        pairs = LINE.findall(line)
        assert "".join(f"{name}={value} " for name, value in pairs).strip() == line
        found.append({name: json.loads(it) if it[:1] == '"' else it for name, it in pairs})
    return found


def failing(app: Flask, error: Exception) -> None:
    @wraps(app.view_functions["site.privacy"])
    def broken() -> str:
        raise error

    app.view_functions["site.privacy"] = broken


def number_shown(page: str) -> str:
    found = re.search(r"référence ([0-9a-f]{8})", page)
    assert found
    return found[1]


def test_all_that_happened_is_found_by_the_number_on_the_page(
    app: Flask, stranger: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(app, ValueError("first\nlevel=info message=forged"))
    page = stranger.get("/confidentialite")
    assert page.status_code == 500
    written = lines(capsys.readouterr().err)
    assert {line["request"] for line in written} == {number_shown(page.text)}
    assert {line["page"] for line in written} == {"site.privacy"}
    assert {line["level"] for line in written} == {"error", "warning"}
    traces = [line["trace"] for line in written if "trace" in line]
    assert traces[0].startswith("Traceback")
    assert "level=info message=forged" in traces
    assert all(re.fullmatch(r"2026-11-24T19:30:00.*Z", line["time"]) for line in written)


def test_each_request_has_a_number_of_its_own(stranger: FlaskClient) -> None:
    pages = [stranger.get("/nulle-part").text for _ in range(3)]
    assert len({number_shown(page) for page in pages}) == 3


@pytest.mark.parametrize(
    ("proxies", "given", "believed"),
    [
        (("127.0.0.1",), NUMBER, True),
        ((), NUMBER, False),
        (("10.0.0.1",), NUMBER, False),
        (("127.0.0.1",), NUMBER.upper(), False),
        (("127.0.0.1",), f"{NUMBER}\n", False),
        (("127.0.0.1",), "x level=info", False),
        (("127.0.0.1",), "0" * 4000, False),
    ],
)
@pytest.mark.usefixtures("empty_database", "frozen")
def test_the_number_is_the_proxys_where_the_town_has_one_and_nobody_elses(
    settings: Settings, proxies: tuple[str, ...], given: str, believed: bool
) -> None:
    client = create_app(replace(settings, proxies=proxies)).test_client()
    page = client.get("/nulle-part", environ_overrides={"HTTP_X_REQUEST_ID": given})
    assert (number_shown(page.text) == given) == believed


def test_outside_a_request_a_line_has_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("kiosque.payments").warning("« %s »", 'a "b"\nc')
    (line,) = lines(capsys.readouterr().err)
    assert line["message"] == '« a "b"\nc »'
    assert line["logger"] == "kiosque.payments"
    assert "request" not in line

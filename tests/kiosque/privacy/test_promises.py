"""Each duration that the privacy page promises is kept by a command, and by its test."""

import re
from pathlib import Path

import pytest
from flask import Flask

from kiosque.families import requests, security_log
from kiosque.outbox import queue
from kiosque.payments import checkout
from kiosque.privacy import ten_year_accounts
from kiosque.settings import Settings
from kiosque.staff import events
from kiosque.web.legal import LegalPages

ROOT = Path(__file__).parents[3]
PROMISE = re.compile(r"^- \*\*(.+)\*\*\\\n.*Gardé\u00a0: (.+)\.$", re.MULTILINE)


@pytest.fixture
def promises(app: Flask, settings: Settings) -> dict[str, str]:
    """How long each thing that the page names is kept, as it says."""
    with app.test_request_context():
        return dict(PROMISE.findall(LegalPages(settings, {}).default("confidentialite")))


def test_each_promise_of_the_page_names_its_command_and_a_test_that_exists(
    promises: dict[str, str],
) -> None:
    written = (ROOT / "docs" / "legal.md").read_text("utf-8")
    rows = re.findall(
        r"^\| «\u00a0(.+?)\u00a0» \| (.+?) \| (.+?) \| `(\w+)` \|$", written, re.MULTILINE
    )
    assert {thing: duration for thing, duration, _command, _test in rows} == promises
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert [test for *_, test in rows if f"def test_{test}(" not in tests] == []
    assert all("`" in command for _thing, _duration, command, _test in rows)


def test_the_page_promises_what_the_code_does(promises: dict[str, str]) -> None:
    said = " ; ".join(promises.values())
    assert {each.KEPT.days for each in (security_log, requests, queue, events)} == {365}
    assert said.count("douze mois") == 4
    assert (queue.ADDRESS_KEPT.days, checkout.ADDRESS_DAYS) == (30, 30)
    assert said.count("trente jours au plus") == 2
    assert ten_year_accounts.YEARS == 10
    assert "dix ans" in said
    assert f"{Settings.legal.forget_after_years} ans après votre départ" in said


def test_the_log_of_visits_is_where_debian_forgets_it_after_fourteen_days() -> None:
    """`/etc/logrotate.d/nginx` says `daily`, `rotate 14`, of `/var/log/nginx/*.log`."""
    files = (ROOT / "deploy" / "nginx").glob("*.conf")
    text = "\n".join(path.read_text("utf-8") for path in files)
    logs = re.findall(r"^\s*access_log ([^\s;]+)", text, re.MULTILINE)
    assert len(logs) >= 2
    assert [log for log in logs if not re.fullmatch(r"/var/log/nginx/[\w-]+\.log|off", log)] == []


def test_the_other_promises_name_tests_that_exist() -> None:
    written = (ROOT / "docs" / "legal.md").read_text("utf-8")
    named = re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+){4,})`", written)
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert len(named) >= 15
    assert [name for name in named if f"def test_{name}(" not in tests] == []

"""A newcomer meets the demo: `make run`, twice, and what it prints."""

import re
import socket
import subprocess
from contextlib import closing

import apsw
import pytest
import requests

from gateways.base import Checks, Polls
from gateways.registry import configure
from kiosque.settings import loading
from tests import sentences
from tests.browser.conftest import ROOT, Demo, answers, environment
from tests.conftest import csrf_token, free_port

pytestmark = pytest.mark.browser


def sign_in(demo: Demo, code: str, password: str) -> requests.Response:
    with requests.Session() as session:
        page = session.get(f"{demo.url}/connexion", timeout=10).text
        data = {"code": code, "password": password, "csrf_token": csrf_token(page)}
        return session.post(f"{demo.url}/connexion", data=data, timeout=10)


def test_the_first_run_prints_families_and_says_when_it_is_ready(first_run: Demo) -> None:
    assert len(first_run.accounts) == 3
    assert re.search(r"code famille : F\d+  code d’activation : [a-z0-9-]{17}\n", first_run.output)
    assert f"courriels : {first_run.data / 'outbox'}" in first_run.output
    assert f"prêt : {first_run.url} (portail), {first_run.bank_url} (banque)" in first_run.output


def test_the_agents_that_it_prints_come_in_with_their_code(town: Demo) -> None:
    lines = re.findall(r"mairie : (\S+)  mot de passe : (\S+)  clé TOTP : (\w+)\n", town.output)
    assert [email.partition("@")[0] for email, *_ in lines] == [
        "regisseur",
        "facturation",
        "administration",
    ]
    for email, password, key in lines:
        with requests.Session() as session:
            page = session.get(f"{town.url}/mairie/connexion", timeout=10).text
            data = {"email": email, "password": password, "csrf_token": csrf_token(page)}
            page = session.post(f"{town.url}/mairie/connexion", data=data, timeout=10).text
            data = {"code": town.code_of(email, key), "csrf_token": csrf_token(page)}
            answer = session.post(f"{town.url}/mairie/code", data=data, timeout=10)
            assert answer.url == f"{town.url}/mairie"


def test_ctrl_c_stops_both_processes_cleanly(first_run: Demo) -> None:
    assert "Traceback" not in first_run.output
    assert not answers(first_run.url)
    assert not answers(first_run.bank_url)


def test_the_second_run_keeps_the_data_and_the_passwords(first_run: Demo, town: Demo) -> None:
    assert town.accounts == first_run.accounts
    assert "Premier lancement" not in town.output
    assert answers(town.url)
    assert answers(town.bank_url)


def test_the_bank_of_the_demo_can_be_asked(town: Demo) -> None:
    settings = loading.load(environment(town.data))
    gateway = configure("banque", settings.gateways["banque"], environment="demo")
    assert isinstance(gateway, Polls)
    assert isinstance(gateway, Checks)
    assert gateway.check() == []


def test_commands_know_the_ports_of_the_demo_that_runs(town: Demo) -> None:
    settings = loading.load(environment(town.data))
    assert settings.public_url == town.url
    assert {table["url"] for table in settings.gateways.values()} == {town.bank_url}


def test_what_a_demo_that_runs_stands_on_is_not_erased(town: Demo) -> None:
    done = subprocess.run(
        ["make", "reset"],
        cwd=ROOT,
        env=environment(town.data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert sentences.DEMO_RUNS in done.stderr
    assert answers(town.url)


def test_two_families_have_three_invoices_each_and_a_third_must_choose_a_password(
    town: Demo,
) -> None:
    for code, password in town.accounts[:2]:
        page = sign_in(town, code, password)
        assert page.url.endswith("/factures")
        assert page.text.count('name="invoice"') == 3
    assert sign_in(town, *town.accounts[2]).url.endswith("/compte/mot-de-passe")


def test_the_demo_is_a_town_of_eight_thousand(town: Demo) -> None:
    with closing(apsw.Connection(str(town.data / "kiosque.sqlite3"))) as base:
        count = {
            table: base.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("family", "child", "service")
        }
        months = base.execute("SELECT count(DISTINCT period) FROM invoice").fetchone()[0]
        strays = base.execute(
            "SELECT count(*) FROM guardian WHERE email NOT LIKE '%@example.org'"
        ).fetchone()[0]
    assert count["family"] >= 400
    assert count["child"] >= 700
    assert count["service"] >= 4
    assert months >= 12
    assert strays == 0


def test_one_family_is_told_of_its_invoices_to_show_such_a_mail_and_no_other_is(
    town: Demo,
) -> None:
    town.command("send-mail")
    mails = [path.read_bytes() for path in (town.data / "outbox").glob("*new-invoices*.eml")]
    assert 1 <= len(mails) <= 2
    for mail in mails:
        assert re.search(f"(?im)^To: {town.accounts[0][0]}-[12]@".encode(), mail)
    for kind in ("reminder", "relance"):
        assert not list((town.data / "outbox").glob(f"*{kind}*"))


def test_a_busy_port_is_one_line(first_run: Demo) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        done = subprocess.run(
            ["make", "run", f"PORT={port}", f"BANK_PORT={free_port()}"],
            cwd=ROOT,
            env=environment(first_run.data),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    (error,) = errors
    assert f"{port} {sentences.PORT_TAKEN}" in error
    assert "PORT=" in error


def test_secrets_are_drawn_at_random_and_kept_from_others(first_run: Demo) -> None:
    for name in ("kiosque.toml", "demo-families.json"):
        assert (first_run.data / name).stat().st_mode & 0o077 == 0


def test_no_password_reaches_what_the_processes_print_besides_those_lines(town: Demo) -> None:
    for code, password in town.accounts:
        shown = [line for line in town.lines if password in line]
        assert shown == [line for line in town.lines if line.startswith(f"code famille : {code}")]

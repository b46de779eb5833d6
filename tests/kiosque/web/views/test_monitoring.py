"""Monitoring is told how the site is, and nobody else."""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from kiosque import backups, chores, create_app, db
from kiosque.db import leases
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.monitoring import memory
from kiosque.monitoring.memory import ToldTrouble
from kiosque.outbox import queue
from kiosque.settings import Monitoring, Settings
from tests import fresh_databases
from tests.conftest import NOW, Clock
from tests.kiosque.web.views.test_payment import Pay, hear

TOKEN = "jeton-de-surveillance-0123456789abcdef"
PATHS = ("/sante/detail", "/metriques")


@pytest.fixture
def watched(settings: Settings, empty_database: None) -> FlaskClient:
    return create_app(replace(settings, monitoring=Monitoring(TOKEN))).test_client()


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_in_the_settings_there_is_no_such_page(
    stranger: FlaskClient, empty_database: None, path: str
) -> None:
    for headers in ({}, bearer(""), bearer()):
        assert stranger.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        "Bearer \u00e9\u00ff",
    ],
)
def test_a_wrong_token_is_refused_and_told_what_is_wanted(
    watched: FlaskClient, path: str, given: str | None
) -> None:
    headers = {} if given is None else {"Authorization": given}
    answer = watched.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert "kiosque_" not in answer.text
    assert TOKEN not in answer.text


def test_the_health_check_stays_short_and_open(watched: FlaskClient) -> None:
    assert set(watched.get("/sante").json) == {"etat", "version", "sauvegarde"}


def test_nothing_happened_yet_is_told_as_such(watched: FlaskClient) -> None:
    told = watched.get("/sante/detail", headers=bearer()).json
    assert told["etat"] == "ok"
    assert set(told["minuteries"].values()) == {None}
    assert told["banques"] == {"banque": None}
    assert told["courriels"] == {"en_attente": 0, "abandonnes": 0, "plus_ancien": None}
    assert told["ennuis"] == []
    assert told["disque"]["total_octets"] >= told["disque"]["libre_octets"] > 0


def test_the_age_of_all_that_runs_is_told(
    watched: FlaskClient,
    settings: Settings,
    pay: Pay,
    frozen: Clock,
    alices_family: Family,
    october: Invoice,
) -> None:
    _, handoff = pay(alices_family, october)
    assert hear(watched, handoff).status_code == 200
    with db.write():
        queue.add("one", "receipt", 1, "alice@example.org")
    chores.ask_banks(settings)
    for chore in ("send-mail", backups.MADE, backups.TRIED):
        leases.note_done(chore)
    memory.note_verified(settings.data, 0)
    frozen.advance(minutes=7)
    told = watched.get("/sante/detail", headers=bearer()).json
    seven_minutes = {"instant": "2026-11-24T19:30:00Z", "age_s": 420}
    for chore in ("reconcile", "send-mail", backups.MADE, backups.TRIED, "verify"):
        assert told["minuteries"][chore] == seven_minutes
    assert told["banques"]["banque"] == seven_minutes
    assert told["derniere_sauvegarde"] == told["derniere_verification"] == seven_minutes
    assert told["defauts_des_comptes"] == 0
    assert told["courriels"]["en_attente"] == 1
    assert told["courriels"]["plus_ancien"] == seven_minutes


def test_the_answer_of_a_bank_that_was_asked_counts_as_its_notice_does(
    watched: FlaskClient, pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    pay(alices_family, october)
    frozen.advance(minutes=1)
    Attempt.update(answered_at=frozen.at).execute()
    told = watched.get("/sante/detail", headers=bearer()).json
    assert told["banques"]["banque"]["age_s"] == 0


def test_what_the_last_check_saw_and_told_is_there(
    watched: FlaskClient, settings: Settings, frozen: Clock
) -> None:
    end = NOW + timedelta(days=40)
    trouble = ToldTrouble(3, "Disque", "12 Mo libres", NOW)
    memory.change(
        settings.data,
        lambda before: replace(
            before, told={"a": trouble}, checked_at=NOW, certificate_ends_at=end
        ),
    )
    told = watched.get("/sante/detail", headers=bearer()).json
    assert told["fin_du_certificat"] == "2027-01-03T19:30:00Z"
    assert told["minuteries"]["alert"]["age_s"] == 0
    assert told["ennuis"] == [
        {"sujet": "Disque", "constat": "12 Mo libres", "depuis": "2026-11-24T19:30:00Z"}
    ]


def test_the_same_is_told_to_prometheus(
    watched: FlaskClient,
    settings: Settings,
    pay: Pay,
    frozen: Clock,
    alices_family: Family,
    october: Invoice,
) -> None:
    _, handoff = pay(alices_family, october)
    hear(watched, handoff)
    chores.ask_banks(settings)
    memory.note_verified(settings.data, 2)
    answer = watched.get("/metriques", headers=bearer())
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = read(answer.text)
    now = NOW.timestamp()
    assert found["kiosque_up"] == 1
    assert found['kiosque_chore_end_timestamp_seconds{chore="reconcile"}'] == now
    assert found['kiosque_bank_answer_timestamp_seconds{gateway="banque"}'] == now
    assert found['kiosque_mails{state="waiting"}'] == queue.count_waiting()
    assert found["kiosque_verify_faults"] == 2
    assert found["kiosque_disk_free_bytes"] > 0
    assert 'kiosque_chore_end_timestamp_seconds{chore="backup"}' not in found


def read(text: str) -> dict[str, float]:
    """The metrics of a text of version 0.0.4, each family announced once, before its samples."""
    found: dict[str, float] = {}
    announced: list[str] = []
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            announced.append(line.split(" ")[2])
            assert line.endswith(" gauge")
        elif not line.startswith("# HELP "):
            sample = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"\\]*"\})? (-?[0-9.e+-]+)', line)
            assert sample, line
            assert sample[1] == announced[-1]
            found[f"{sample[1]}{sample[2] or ''}"] = float(sample[3])
    assert len(announced) == len(set(announced))
    return found


def test_a_database_that_does_not_answer_is_told_and_hides_nothing_else(
    watched: FlaskClient, settings: Settings
) -> None:
    fresh_databases.damage("DROP TABLE outbox_mail")
    memory.note_verified(settings.data, 0)
    answer = watched.get("/sante/detail", headers=bearer())
    assert answer.status_code == 503
    told = answer.json
    assert told["etat"] != "ok"
    assert told["courriels"] is None
    assert told["defauts_des_comptes"] == 0
    found = read(watched.get("/metriques", headers=bearer()).text)
    assert found["kiosque_up"] == 0
    assert found["kiosque_verify_faults"] == 0


def test_nothing_of_a_family_is_told(
    watched: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(watched, handoff)
    for path in PATHS:
        text = watched.get(path, headers=bearer()).text
        for private in ("F1001", "Martin", october.number, "example.org"):
            assert private not in text


@fresh_databases.on_sqlite
def test_what_is_asked_of_the_database_does_not_grow_with_it(
    watched: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Each question is answered by an index, whatever the years of payments."""
    with caplog.at_level(logging.DEBUG, logger="peewee"):
        watched.get("/sante/detail", headers=bearer())
    asked = [record.msg for record in caplog.records if record.name == "peewee"]
    big = [(sql, values) for sql, values in asked if re.search("attempt|bank_mess|outbox", sql)]
    assert len(big) >= 5
    for sql, values in big:
        plan = db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        assert all("INDEX" in row[3] for row in plan), (sql, plan)


def test_verify_leaves_its_verdict(run: Callable[..., Result], settings: Settings) -> None:
    assert run("verify").exit_code == 0
    assert memory.read(settings.data).verify_faults == 0


def test_what_is_remembered_survives_a_file_cut_short(settings: Settings) -> None:
    memory.note_verified(settings.data, 0)
    path = settings.data / memory.NAME
    for spoilt in (b"", b"{", b"[]", json.dumps({"told": {"a": 1}}).encode(), b"\xff"):
        path.write_bytes(spoilt)
        assert memory.read(settings.data) == memory.Memory()
        memory.note_verified(settings.data, 3)
        assert memory.read(settings.data).verify_faults == 3

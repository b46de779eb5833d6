"""Error pages: in French, with a reference that is in the log, and without the database."""

import errno
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

import apsw
import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from peewee import DatabaseError, IntegrityError, OperationalError
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable, TooManyRequests

from gateways.base import Handoff
from kiosque import db
from kiosque.db import write_lock
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.families.hashing import Busy
from kiosque.families.throttle import TooManyTries
from tests import fresh_databases, sentences
from tests.bank import notice
from tests.conftest import NOW, Clock

NOTIFY = "/paiement/notification/banque"


def failing(app: Flask, error: Exception, endpoint: str = "site.privacy") -> None:
    """Make that page raise."""

    @wraps(app.view_functions[endpoint])
    def broken(**_: object) -> str:
        raise error

    app.view_functions[endpoint] = broken


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500, 503])
def test_each_error_is_a_french_page_with_a_reference_that_is_in_the_log(
    app: Flask, stranger: FlaskClient, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    app.view_functions["site.privacy"] = lambda: abort(status)
    answer = stranger.get("/confidentialite")
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert re.search(r"<h1>[A-ZÀ-Ý].+</h1>", answer.text)
    assert 'lang="fr"' in answer.text
    assert "info@sautron.example.org" in answer.text
    reference = re.search(rf"erreur {status}, référence ([0-9a-f]{{8}})", answer.text)[1]
    assert reference in caplog.text


@pytest.mark.parametrize(
    ("method", "address", "status", "title"),
    [
        ("GET", "/nulle-part", 404, "Page introuvable"),
        ("GET", "/%ff%fe", 404, "Page introuvable"),
        ("DELETE", "/connexion", 405, "Action impossible ici"),
        ("POST", "/connexion", 400, sentences.PAGE_EXPIRED),
    ],
)
def test_what_happened_is_the_title(
    stranger: FlaskClient, method: str, address: str, status: int, title: str
) -> None:
    answer = stranger.open(address, method=method)
    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.text


def test_an_impossible_action_says_to_programs_what_is_possible(stranger: FlaskClient) -> None:
    assert set(stranger.delete("/connexion").headers["Allow"].split(", ")) == {
        "GET", "HEAD", "OPTIONS", "POST",
    }  # fmt: skip


def test_an_expired_page_says_what_to_do(stranger: FlaskClient) -> None:
    page = stranger.post("/connexion", data={"csrf_token": "x"}).text
    assert "Rechargez-la" in page
    assert sentences.COOKIES in page


@pytest.mark.parametrize(
    ("error", "seconds", "words"),
    [
        (TooManyRequests(retry_after=150), "150", "recommencer dans 3 minutes"),
        (TooManyRequests(retry_after=7200), "7200", "recommencer dans 2 heures"),
        (ServiceUnavailable(retry_after=60), "60", "recommencer dans 1 minute."),
        (TooManyTries(NOW + timedelta(seconds=90)), "90", "patientez 2 minutes"),
        (Busy(), "5", "dans quelques secondes"),
        (RequestEntityTooLarge(), None, "Rien n’a été modifié"),
    ],
)
def test_when_to_come_back_is_said_to_people_and_to_programs(
    app: Flask, stranger: FlaskClient, error: Exception, seconds: str | None, words: str
) -> None:
    failing(app, error)
    answer = stranger.get("/confidentialite")
    assert answer.headers.get("Retry-After") == seconds
    assert words in answer.text


def full_database() -> OperationalError:
    """As Peewee raises what SQLite says."""
    error = OperationalError("database or disk is full")
    error.__cause__ = apsw.FullError()
    return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (full_database(), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EROFS, "Read-only file system"), False),
        (OperationalError("database is locked"), False),
    ],
)
def test_a_full_disk_says_so(
    app: Flask, stranger: FlaskClient, error: Exception, full: bool
) -> None:
    failing(app, error)
    answer = stranger.get("/confidentialite")
    assert (answer.status_code, sentences.DISK_IS_FULL in answer.text) == (503, full)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("database is locked"), 503),
        (OperationalError("database or disk is full"), 503),
        (DatabaseError("database disk image is malformed"), 503),
        (OSError(errno.ENOSPC, "No space left on device"), 503),
        (OSError(errno.EROFS, "Read-only file system"), 503),
        (OSError(errno.EACCES, "Permission denied"), 500),
        (IntegrityError("UNIQUE constraint failed"), 500),
        (ValueError("secret inside"), 500),
    ],
)
@pytest.mark.parametrize("endpoint", ["site.privacy", "notification.receive"])
def test_a_database_that_does_not_answer_is_a_503_and_a_fault_of_ours_a_500(
    app: Flask, stranger: FlaskClient, error: Exception, status: int, endpoint: str
) -> None:
    failing(app, error, endpoint)
    to_bank = endpoint == "notification.receive"
    answer = stranger.post(NOTIFY) if to_bank else stranger.get("/confidentialite")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("120" if status == 503 else None)
    assert answer.mimetype == ("text/plain" if to_bank else "text/html")
    assert str(error) not in answer.text


def test_a_locked_database_makes_the_bank_send_again_and_nothing_is_lost(
    stranger: FlaskClient,
    pay: Callable[..., tuple[Attempt, Handoff]],
    alices_family: Family,
    october: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, handoff = pay(alices_family, october)
    db.database.close()
    monkeypatch.setattr(write_lock, "PATIENCE_SECONDS", 0.001)
    with fresh_databases.locked():
        answer = stranger.post(NOTIFY, data=notice(handoff))
    assert answer.status_code == 503
    assert answer.text.startswith(f"KO {sentences.SITE_DOWN}")
    assert stranger.post(NOTIFY, data=notice(handoff)).status_code == 200
    assert Invoice.get().state == "paid"


def test_error_pages_and_files_need_no_database(
    app: Flask, stranger: FlaskClient, alice: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stylesheet = re.search(r'href="(/fichiers/[^"]+)"', stranger.get("/connexion").text)[1]
    db.database.close()

    def no_database(*_: object, **__: object) -> None:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr(db.database.obj, "connect", no_database)
    assert stranger.get("/nulle-part").status_code == 404
    assert stranger.get(stylesheet).status_code == 200
    assert alice.get("/factures").status_code == 503
    assert sentences.SITE_DOWN in alice.get("/factures").text
    assert alice.get("/nulle-part").status_code == 404


def test_an_error_page_that_fails_itself_is_still_a_page(
    app: Flask, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> str:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("kiosque.web.errors.render_template", broken)
    answer = stranger.get("/nulle-part")
    assert answer.status_code == 404
    assert "<h1>Page introuvable</h1>" in answer.text
    assert "référence" in answer.text
    assert "secret" not in answer.text


def test_an_error_of_ours_tells_nothing_of_the_inside(
    app: Flask, stranger: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    failing(app, ValueError("secret inside"))
    answer = stranger.get("/confidentialite")
    assert answer.status_code == 500
    assert "secret inside" not in answer.text
    assert re.search(rf"{sentences.REFERENCE} ([0-9a-f]{{8}})", answer.text)[1] in caplog.text


@pytest.mark.parametrize(
    "host", ["evil.example.org", ".", "a..b", "x" * 300, "é", "127.0.0.1.evil.example.org", ""]
)
@pytest.mark.parametrize("address", ["/connexion", "/nulle-part", NOTIFY])
def test_the_site_answers_under_its_own_name_only(
    stranger: FlaskClient, host: str, address: str
) -> None:
    answer = stranger.get(address, headers={"Host": host})
    assert answer.status_code == 400
    assert "<h1>" in answer.text
    assert "référence" in answer.text
    assert "evil" not in answer.text


def test_the_clock_of_a_delay_is_ours(app: Flask, stranger: FlaskClient, frozen: Clock) -> None:
    failing(app, TooManyRequests(retry_after=frozen.at + timedelta(minutes=35)))
    assert "35 minutes" in stranger.get("/confidentialite").text

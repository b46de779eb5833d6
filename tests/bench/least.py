"""What this project's libraries cost by themselves: the page with no rule, template nor language,
the notification with no rule. Below that, no work of ours can go."""

import base64
import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl

import apsw
from flask import Flask, request, session
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf

from kiosque import db
from kiosque.db.models import Family
from kiosque.db.prepared import PreparedQuery
from kiosque.families import sessions
from kiosque.invoices import listing
from kiosque.language import clock
from tests.bank import KEY
from tests.bench import base, notices
from tests.bench.pages import REQUESTS, ROUNDS
from tests.bench.service import HELLO, cost, serve
from tests.bench.table import Figure, interleaved

LEAST = "tests.bench.least:create_app()"
CODE = "F100050"
#: As much text as our page has around its invoices, and around each.
_AROUND = "x" * 4000
_LINE = (
    '<li><p class="line"><span class="words"><strong>{}</strong> <span class="muted">{} – {}</span>'
    '</span> <span class="amount">{}</span></p> <p class="under"><span class="tag">Payée</span> '
    '<span>le {}</span> <a href="/factures/{}">Facture {}</a> <a href="/recus/{}">Reçu {}<span '
    'class="sr"> de la facture {}</span></a></p></li>\n'
)
Statement = tuple[str, Any]


class _Parent(UserMixin):
    id = "1"


def create_app() -> Flask:
    """The page at `/`, once signed in by `/entrer`."""
    app = Flask(__name__)
    app.secret_key = secrets.token_hex()
    CSRFProtect(app)
    path = Path(os.environ["KIOSQUE_DATA"]) / "kiosque.sqlite3"
    db.configure(path)
    with db.connection():
        family = Family.get(Family.code == CODE).id
        ask = _asker(path, family)
    manager = LoginManager(app)

    @manager.user_loader
    def load(_number: str) -> _Parent:
        ask(sessions._RUNNING)
        return _Parent()

    @app.get("/entrer")
    def enter() -> str:
        login_user(_Parent())
        session["long"] = secrets.token_urlsafe(32)
        return ""

    @app.get("/")
    @login_required
    def page() -> str:
        assert current_user.is_authenticated
        token = generate_csrf()
        rows = ask(listing._UNPAID) + ask(listing._SETTLED)
        return "".join([_AROUND, token, *map(_line, rows), token])

    return app


def _asker(path: Path, family: int) -> Callable[[PreparedQuery], list[Any]]:
    connection = notices.opened(path)
    now = clock.now()
    values = {"family": family, "now": now, "first": 0, "digest": "", "idle": now, "longest": now}

    def ask(query: PreparedQuery) -> list[Any]:
        written = query._for_database()
        return connection.execute(written.sql, written.bind(values)).fetchall()

    return ask


def _line(row: Any) -> str:
    number, period, services, children, cents, _state, issued, *_, receipt = row
    texts = [escape(text) for text in (period, services, children)]
    return _LINE.format(*texts, cents, issued, number, number, receipt, receipt, number)


def page(folder: Path) -> Iterator[Figure]:
    """Beside Flask alone, as our page is."""
    (folder / "least").mkdir()
    base.fill(folder / "least" / "kiosque.sqlite3", 500)
    with serve(LEAST, folder / "least") as least, serve(HELLO) as hello:
        for address in ("/entrer", "/"):
            answer = least.ask(address).decode()
            least.cookie = answer.partition("Set-Cookie: ")[2].partition(";")[0]
        size = len(least.ask("/"))
        if size < 9000:
            raise AssertionError(size)
        cost(least, "/", REQUESTS)
        figures = interleaved(
            ROUNDS, lambda: cost(least, "/", REQUESTS), lambda: cost(hello, "/", REQUESTS)
        )
    yield Figure(
        "that page by the libraries alone", figures[0], "ms", figures[1], "bare Flask hello",
        "–", "–",
    )  # fmt: skip


def notification(folder: Path) -> Iterator[Figure]:
    """Beside one bare transaction, as our notification is."""
    bank = notices.Bank(folder / "recorded", notices.FEW)
    before = {name: folder / name for name in ("bare", "flask")}
    bodies, statements = _record(bank, list(before.values()))
    commit = notices.bare(folder / "yardstick.sqlite3")
    # As it is beside ours: what a disk takes wavers from one moment to the next.
    bare = median(commit() for _ in range(notices.ROUNDS))
    alone = notices.opened(before["bare"])
    times = [notices.timed(lambda each=each: _carry_out(alone, each)) for each in statements]
    words = "bare BEGIN IMMEDIATE commit"
    yield Figure("its statements alone", min(times), "ms", bare, words, "–", "–")
    app = _behind_flask(notices.opened(before["flask"]), statements)
    times = [notices.timed(lambda body=body: notices.post(app, body)) for body in bodies]
    yield Figure("the same behind Flask, signed", min(times), "ms", bare, words, "–", "–")


def _record(bank: Any, copies: list[Path]) -> tuple[list[bytes], list[list[Statement]]]:
    """Notices, and the statements by which the site settles each; copies of the base before."""
    db.database.close()
    db.configure(bank.location)
    bodies = bank.notices()
    db.database.close()
    with apsw.Connection(str(bank.location)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for copy in copies:
        shutil.copy(bank.location, copy)
    recorded: list[list[Statement]] = []
    db.database.connect(reuse_if_open=True)
    connection = db.database.connection()
    connection.exec_trace = lambda _cursor, sql, bound: recorded[-1].append((sql, bound)) or True
    for body in bodies:
        recorded.append([])
        notices.post(bank.app, body)
    return bodies, recorded


def _carry_out(connection: apsw.Connection, statements: list[Statement]) -> None:
    for sql, bound in statements:
        connection.execute(sql, bound).fetchall()


def _behind_flask(connection: apsw.Connection, statements: list[list[Statement]]) -> Flask:
    app = Flask(__name__)
    waiting = iter(statements)

    @app.post("/paiement/notification/banque")
    def notice() -> str:
        fields = dict(parse_qsl(request.get_data().decode(), keep_blank_values=True))
        signed = [value for name, value in sorted(fields.items()) if name.startswith("vads_")]
        text = "+".join([*signed, KEY]).encode()
        signature = base64.b64encode(hmac.new(KEY.encode(), text, hashlib.sha256).digest())
        if not hmac.compare_digest(signature, fields["signature"].encode()):
            raise ValueError
        _carry_out(connection, next(waiting))
        return "OK"

    return app

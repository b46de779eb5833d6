"""A bank's service is asked within bounds that hold whatever the other side does."""

import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateways import http
from gateways.base import ConfigError, Unreachable
from gateways.http import (
    Answer,
    Endpoint,
    get_json,
    post_form,
    post_json,
)
from tests import sentences
from tests.conftest import free_port
from tests.gateways.scripted import GOOD, SECONDS, SLACK, Server, answer, drip

PASSWORD = "testpassword_canari0123456789"


def ask(origin: str, seconds: float = 5) -> dict[str, Any]:
    endpoint = Endpoint(origin, "12345678", PASSWORD, in_clear=True)
    return post_json(endpoint, "/api-payment/V4/Order/Get", {"orderId": "é"}, seconds=seconds)


def test_a_question_carries_its_credentials_and_gets_its_answer(
    serve: Callable[..., Server],
) -> None:
    server = serve(answer())
    assert ask(server.origin) == {"status": "SUCCESS"}
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api-payment/V4/Order/Get HTTP/1.1"
    assert f"Host: {server.origin.removeprefix('http://')}" in lines
    assert "Accept-Encoding: identity" in lines
    assert "Content-Type: application/json" in lines
    basic = "MTIzNDU2Nzg6dGVzdHBhc3N3b3JkX2NhbmFyaTAxMjM0NTY3ODk="
    assert f"Authorization: Basic {basic}" in lines
    assert json.loads(body) == {"orderId": "é"}


def test_an_answer_in_pieces_is_whole(serve: Callable[..., Server]) -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    server = serve(head + b'9\r\n{"status"\r\nC\r\n: "SUCCESS"}\r\n0\r\n\r\n')
    assert ask(server.origin) == {"status": "SUCCESS"}
    server = serve(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + GOOD)
    assert ask(server.origin) == {"status": "SUCCESS"}


LONG = b'{"x": "' + b"a" * http.MAX_BYTES + b'"}'
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIPPED = zlib.compress(GOOD, wbits=31)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "connexion"),
        (b"bonjour\r\n\r\n", "autre chose"),
        (b"HTTP/1.1 200 OK\r\n", "autre chose"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "autre chose"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", "autre chose"),
        (answer(status="500 Internal Server Error"), "panne"),
        (answer(status="503 Service Unavailable", kind="text/html"), "panne"),
        (answer(status="401 Unauthorized"), "identifiants"),
        (answer(status="403 Forbidden"), "identifiants"),
        (answer(status="404 Not Found"), "ne connaît pas"),
        (answer(status="429 Too Many Requests"), "attendre"),
        (answer(status="204 No Content", body=b""), "autre chose"),
        (answer(status="301 Moved", extra="Location: http://127.0.0.1:9/\r\n"), "autre adresse"),
        (answer(status="307 Temporary", extra="Location: /\r\n"), "autre adresse"),
        (answer(kind="text/html"), "autre chose"),
        (answer(kind=""), "autre chose"),
        (answer(GZIPPED, extra="Content-Encoding: gzip\r\n"), "autre chose"),
        (answer(GOOD[:-5]), "autre chose"),
        (answer(GOOD[:-5], length=len(GOOD)), "incomplète"),
        (CHUNKED + b"15\r\n" + GOOD[:-5], "incomplète"),
        (CHUNKED + b"zz\r\n" + GOOD, "incomplète"),
        (answer(LONG), "trop longuement"),
        (CHUNKED + b"10000\r\n" + b" " * 65536 + b"\r\n", "autre chose"),
        (CHUNKED + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 5, "trop longuement"),
        (answer(b"[]"), "autre chose"),
        (answer(b'"x"'), "autre chose"),
        (answer(b""), "autre chose"),
        (answer(b"{'a': 1}"), "autre chose"),
        (answer(b'{"a": NaN}'), "autre chose"),
        (answer(b'{"a": -Infinity}'), "autre chose"),
        (answer(b'{"a": 1, "a": 2}'), "autre chose"),
        (answer(b'{"a": {"b": 1, "b": 1}}'), "autre chose"),
        (answer(b'{"a": ' + b"9" * 5000 + b"}"), "autre chose"),
        (answer(b'{"a": "\xe9"}'), "autre chose"),
        (answer(b"\xef\xbb\xbf" + GOOD), "autre chose"),
        (answer(GOOD.decode().encode("utf-16")), "autre chose"),
        (answer(b"[" * 200_000), "autre chose"),
        (answer(b'{"a":' * 40_000), "autre chose"),
    ],
)
def test_anything_else_than_a_readable_answer_is_a_bank_out_of_reach(
    serve: Callable[..., Server], said: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(said)
    with pytest.raises(Unreachable, match=words) as caught:
        ask(server.origin)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for shown in (str(caught.value), caplog.text):
        assert PASSWORD not in shown
        assert "dGVzdHBhc3N3b3Jk" not in shown
    assert "127.0.0.1" not in str(caught.value)


def test_a_redirection_is_not_followed(serve: Callable[..., Server]) -> None:
    other = serve(answer())
    moved = answer(status="302 Found", extra=f"Location: {other.origin}/\r\n")
    with pytest.raises(Unreachable, match="autre adresse"):
        ask(serve(moved).origin)
    assert other.asked == []


@pytest.mark.parametrize(
    "said",
    [
        answer(b'{"x": "' + b"a" * 5000 + b'"}'),
        b"HTTP/1.1 200 OK\r\n" + b"X-Slow: " + b"a" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 500,
        CHUNKED + b"1\r\n \r\n" * 1000,
    ],
)
def test_a_slow_drip_of_an_answer_ends_in_time(serve: Callable[..., Server], said: bytes) -> None:
    over = threading.Event()
    server = serve(drip(said, over))
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="trop lentement"):
        ask(server.origin, SECONDS)
    assert time.monotonic() - begun < SECONDS + SLACK
    over.set()


def test_without_the_deadline_the_same_drip_would_go_on(serve: Callable[..., Server]) -> None:
    """The negative control: each wait is short, so a limit on each alone would not end this."""
    over = threading.Event()
    server = serve(drip(answer(b"{}"), over, pause=0.006))
    begun = time.monotonic()
    assert ask(server.origin, 30) == {}
    assert time.monotonic() - begun > SECONDS


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_silence_ends_in_time(serve: Callable[..., Server], scheme: str) -> None:
    """Of a service that says nothing; of one that does not even begin to encrypt."""
    over = threading.Event()
    server = serve(lambda _caller: bool(over.wait(5)))
    origin = server.origin.replace("http:", f"{scheme}:")
    with pytest.raises(Unreachable, match="trop lentement"):
        ask(origin, SECONDS)
    over.set()


def test_a_handshake_that_drips_ends_in_time() -> None:
    over, done = threading.Event(), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        caller, _ = listening.accept()
        with caller:
            # A record of the handshake, announced as 16 KiB long.
            for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 16384:
                try:
                    caller.sendall(bytes([byte]))
                except OSError:
                    break
                if over.wait(0.02):
                    break
        done.set()

    threading.Thread(target=trickle, daemon=True).start()
    begun = time.monotonic()
    with listening, pytest.raises(Unreachable):
        ask(f"https://127.0.0.1:{listening.getsockname()[1]}", SECONDS)
    assert time.monotonic() - begun < SECONDS + SLACK
    over.set()
    assert done.wait(5)


def test_a_name_that_takes_too_long_to_find_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(*_: object, **__: object) -> list[Any]:
        over.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(Unreachable, match="trop lentement"):
        ask("https://banque.example.org", SECONDS)
    over.set()


def test_a_name_that_does_not_exist_is_said_so() -> None:
    for host in ("banque.invalid", "é" * 70, "a..b"):
        with pytest.raises(Unreachable, match="introuvable"):
            ask(f"https://{host}")


def test_nobody_there_is_said_so() -> None:
    with pytest.raises(Unreachable, match=sentences.NO_CONNECTION):
        ask(f"http://127.0.0.1:{free_port()}")


def test_the_next_address_of_a_name_is_tried(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer())
    port = int(server.origin.rpartition(":")[2])
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one))
        for one in (free_port(), port)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert ask("http://banque.example.org") == {"status": "SUCCESS"}


# --- What is asked, and with which credentials ---


def head_of(server: Server) -> str:
    """The one request that the server was sent, without its body."""
    (asked,) = server.asked
    return asked.partition(b"\r\n\r\n")[0].decode()


def test_a_get_asks_by_its_address_and_says_who_asks_by_a_token(
    serve: Callable[..., Server],
) -> None:
    server = serve(answer())
    endpoint = Endpoint(server.origin, token=PASSWORD, in_clear=True)
    found = get_json(endpoint, "/v2/payments", {"id": "a&b=c", "é": "1"}, headers={"X-Id": "7"})
    assert (found, found.status) == ({"status": "SUCCESS"}, 200)
    head = head_of(server)
    assert head.startswith("GET /v2/payments?id=a%26b%3Dc&%C3%A9=1 HTTP/1.1")
    assert f"Authorization: Bearer {PASSWORD}" in head
    assert "X-Id: 7" in head
    assert PASSWORD not in repr(endpoint)


def test_a_form_is_posted_with_a_user_and_perhaps_a_password(serve: Callable[..., Server]) -> None:
    server = serve(answer(status="201 Created"))
    for password, sent in (("", "Y2zDqWY6"), ("m", "Y2zDqWY6bQ==")):
        endpoint = Endpoint(server.origin, "cléf", password, True)
        found = post_form(endpoint, "/refunds", {"amount": "4520"}, accepts={200, 201})
        assert found.status == 201
        asked = server.asked.pop().decode()
        assert f"Authorization: Basic {sent}" in asked
        assert "Content-Type: application/x-www-form-urlencoded" in asked
        assert asked.endswith("\r\n\r\namount=4520")


def test_credentials_may_hold_any_letter(serve: Callable[..., Server]) -> None:
    server = serve(answer())
    get_json(Endpoint(server.origin, "régie", "50 €", in_clear=True), "/")
    assert "Basic csOpZ2llOjUwIOKCrA==" in head_of(server)


def test_no_credential_is_sent_where_none_is_given(serve: Callable[..., Server]) -> None:
    server = serve(answer())
    get_json(Endpoint(server.origin, in_clear=True), "/")
    assert "Authorization" not in head_of(server)


@pytest.mark.parametrize(
    "given",
    [
        {"password": PASSWORD},
        {"user": "u", "token": PASSWORD},
        {"password": "p", "token": "t"},
        {"user": "u:v", "password": PASSWORD},
    ],
)
def test_credentials_that_lack_their_user_or_come_twice_are_an_error_and_not_none(
    given: dict[str, str],
) -> None:
    with pytest.raises(ConfigError) as refused:
        Endpoint("https://banque.example.org", **given)  # type: ignore[arg-type]
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("status", ["201 Created", "202 Accepted", "404 Not Found", "409 Conflict",
                                    "422 Unprocessable", "503 Service Unavailable"])  # fmt: skip
def test_a_status_is_an_answer_where_it_is_accepted_and_only_there(
    serve: Callable[..., Server], status: str
) -> None:
    server = serve(answer(status=status))
    endpoint, number = Endpoint(server.origin, in_clear=True), int(status[:3])
    assert get_json(endpoint, "/", accepts={200, number}).status == number
    for ask_so in (get_json, lambda at, path: post_json(at, path, {})):
        with pytest.raises(Unreachable):
            ask_so(endpoint, "/")
    html = serve(answer(b"<html>", status=status, kind="text/html"))
    with pytest.raises(Unreachable):
        get_json(Endpoint(html.origin, in_clear=True), "/", accepts={number})


def test_an_answer_without_content_is_an_empty_one_where_it_is_accepted(
    serve: Callable[..., Server],
) -> None:
    server = serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    endpoint = Endpoint(server.origin, in_clear=True)
    assert post_json(endpoint, "/", {}, accepts={204}) == Answer({}, 204)
    with pytest.raises(Unreachable):
        post_json(endpoint, "/", {})


def test_a_kind_of_json_is_json(serve: Callable[..., Server]) -> None:
    server = serve(answer(kind="application/hal+json"))
    assert get_json(Endpoint(server.origin, in_clear=True), "/") == {"status": "SUCCESS"}


def test_a_header_cannot_hold_another(serve: Callable[..., Server]) -> None:
    server = serve(answer())
    for headers, token in (({"X-Id": "1\r\nX-Other: 2"}, ""), ({}, "t\r\nX-Other: 2")):
        endpoint = Endpoint(server.origin, in_clear=True, token=token)
        with pytest.raises(Unreachable):
            get_json(endpoint, "/", headers=headers)
    assert not any(b"X-Other" in asked for asked in server.asked)


def test_the_password_never_travels_in_clear_unless_allowed(serve: Callable[..., Server]) -> None:
    server = serve(answer())
    with pytest.raises(Unreachable, match=sentences.HTTPS_WANTED):
        post_json(Endpoint(server.origin, "12345678", PASSWORD), "/", {}, seconds=5)
    assert server.asked == []
    assert PASSWORD not in repr(Endpoint(server.origin, "12345678", PASSWORD))


def test_a_service_that_does_not_encrypt_is_out_of_reach() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"https://127.0.0.1:{listening.getsockname()[1]}"

    def speak_plainly() -> None:
        caller, _ = listening.accept()
        with caller:
            caller.recv(100)
            caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=speak_plainly, daemon=True).start()
    with listening, pytest.raises(Unreachable, match="chiffrée"):
        ask(origin)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that no authority signed, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl est absent")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=banque -addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {path}.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def test_only_a_certificate_that_is_trusted_is_spoken_to(
    serve: Callable[..., Server], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = serve(answer(), tls)
    with pytest.raises(Unreachable, match="certificat"):
        ask(server.origin)
    assert server.asked == []
    monkeypatch.setattr(http, "AUTHORITIES", str(certificate))
    assert ask(server.origin) == {"status": "SUCCESS"}
    with pytest.raises(Unreachable, match="certificat"):
        ask(server.origin.replace("127.0.0.1", "localhost"))


def test_authorities_are_read_once_for_the_calls_that_follow_each_other(
    serve: Callable[..., Server], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    really = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, path: str) -> None:
        read.append(path)
        really(context, path)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    monkeypatch.setattr(http, "AUTHORITIES", str(certificate))
    monkeypatch.setattr(http, "_idle", {})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = serve(answer(), tls)
    for _ in range(3):
        assert ask(server.origin) == {"status": "SUCCESS"}
    with pytest.raises(Unreachable, match="certificat"):
        ask(server.origin.replace("127.0.0.1", "localhost"))
    assert ask(server.origin) == {"status": "SUCCESS"}
    assert read == [str(certificate)]


def test_no_proxy_nor_password_comes_from_the_environment(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = serve(answer())
    assert ask(server.origin)
    assert b"Basic MTIzNDU2Nzg6" in server.asked[0]


def test_ten_threads_ask_at_once_and_each_gets_its_own(serve: Callable[..., Server]) -> None:
    together = threading.Barrier(10, timeout=5)

    def one(number: int) -> dict[str, Any]:
        def say(caller: socket.socket) -> None:
            together.wait()
            caller.sendall(answer(b'{"n": %d}' % number))

        return ask(serve(say).origin)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(one, range(10))) == [{"n": number} for number in range(10)]

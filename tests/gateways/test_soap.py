"""A SOAP service is asked within the same bounds as any other (`test_http`)."""

import threading
import time
from collections.abc import Callable

import pytest

from gateways import http
from gateways.base import Unreachable
from gateways.http import Endpoint, SoapFault, post_soap
from tests import sentences
from tests.gateways.scripted import SECONDS, SLACK, Server, answer, drip

XML = b"<a>\xc3\xa9</a>"


def soap(origin: str, seconds: float = 5) -> bytes:
    return post_soap(Endpoint(origin, in_clear=True), "/service", b"<q/>", seconds=seconds)


@pytest.mark.parametrize("kind", ["text/xml", "text/xml; charset=utf-8"])
def test_an_envelope_is_an_answer(serve: Callable[..., Server], kind: str) -> None:
    server = serve(answer(XML, kind=kind))
    assert soap(server.origin) == XML
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert body == b"<q/>"
    assert b"POST /service HTTP/1.1" in head
    assert b'SOAPAction: ""' in head
    assert b"Content-Type: text/xml; charset=utf-8" in head
    assert b"Authorization" not in head


def test_an_envelope_that_comes_with_an_error_is_a_fault(serve: Callable[..., Server]) -> None:
    server = serve(answer(XML, status="500 Internal Server Error", kind="text/xml"))
    with pytest.raises(SoapFault) as caught:
        soap(server.origin)
    assert caught.value.envelope == XML


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(XML, kind="text/html"), "autre chose"),
        (answer(XML, kind="application/json"), "autre chose"),
        (answer(XML, status="500 Oops", kind="text/html"), "en panne"),
        (answer(XML, status="503 Busy", kind="text/xml"), "en panne"),
        (answer(XML, status="404 Not Found", kind="text/xml"), "ne connaît pas ce service"),
        (answer(XML, status="302 Found", kind="text/xml"), "autre adresse"),
        (answer(XML, kind="text/xml", length=50), "incomplète"),
        (answer(b"a" * (http.MAX_BYTES + 1), kind="text/xml"), "trop longuement"),
        (answer(XML, kind="text/xml", extra="Content-Encoding: gzip\r\n"), "autre chose"),
    ],
)
def test_anything_else_than_an_envelope_is_a_bank_out_of_reach(
    serve: Callable[..., Server], said: bytes, words: str
) -> None:
    with pytest.raises(Unreachable, match=words):
        soap(serve(said).origin)


def test_an_envelope_that_drips_ends_in_time(serve: Callable[..., Server]) -> None:
    over = threading.Event()
    server = serve(drip(answer(b"<a>" + b" " * 5000 + b"</a>", kind="text/xml"), over))
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="trop lentement"):
        soap(server.origin, SECONDS)
    assert time.monotonic() - begun < SECONDS + SLACK
    over.set()


def test_soap_too_never_travels_in_clear_unless_allowed(serve: Callable[..., Server]) -> None:
    server = serve(answer(XML, kind="text/xml"))
    with pytest.raises(Unreachable, match=sentences.HTTPS_WANTED):
        post_soap(Endpoint(server.origin), "/", b"<q/>", seconds=5)
    assert server.asked == []

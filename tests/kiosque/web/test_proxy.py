"""The visitor's address: what a proxy of ours says of it, and nothing that anyone else writes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from kiosque import create_app
from kiosque.settings import Settings


def seen(
    settings: Settings, proxies: Sequence[str], peer: str, **headers: str
) -> tuple[str | None, str]:
    """The address and scheme that the site sees of a visit."""
    app = create_app(replace(settings, proxies=tuple(proxies)))
    found = []
    app.before_request(lambda: found.append((request.remote_addr, request.scheme)))
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    app.test_client().get("/sante", headers=names, environ_base={"REMOTE_ADDR": peer})
    return found[0]


CHAINS = [
    # proxies, peer, X-Forwarded-For, the visitor
    ((), "127.0.0.1", "203.0.113.9", "127.0.0.1"),
    (("127.0.0.1",), "127.0.0.1", "203.0.113.9", "203.0.113.9"),
    (("127.0.0.1",), "198.51.100.7", "203.0.113.9", "198.51.100.7"),
    (("127.0.0.1",), "127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
    (("127.0.0.1", "10.0.0.0/8"), "127.0.0.1", "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
    (("127.0.0.1", "10.0.0.0/8"), "127.0.0.1", "6.6.6.6, 203.0.113.9,10.1.2.3 ", "203.0.113.9"),
    (("10.0.0.0/8",), "10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
    (("127.0.0.1",), "127.0.0.1", "", "127.0.0.1"),
    (("127.0.0.1",), "127.0.0.1", "unknown", "127.0.0.1"),
    (("127.0.0.1",), "127.0.0.1", "6.6.6.6, é\0' OR 1=1", "127.0.0.1"),
    # Some proxies write the port too.
    (("127.0.0.1",), "127.0.0.1", "6.6.6.6:80, 203.0.113.9:51123", "203.0.113.9"),
    (("127.0.0.1", "10.0.0.0/8"), "127.0.0.1", "203.0.113.9:1,10.1.2.3:65535", "203.0.113.9"),
    (("127.0.0.1",), "127.0.0.1", "[2001:db8::9]:51123", "2001:db8::9"),
    (("127.0.0.1",), "127.0.0.1", "[2001:DB8::9]", "2001:db8::9"),
    (("127.0.0.1",), "127.0.0.1", "[::ffff:203.0.113.9]:80", "203.0.113.9"),
    (("::1", "fd00::/8"), "::1", "2001:db8::9, [fd00::2]:443", "2001:db8::9"),
    # Without brackets, what looks like a port belongs to the address.
    (("127.0.0.1",), "127.0.0.1", "2001:db8::9:443", "2001:db8::9:443"),
    *(
        (("127.0.0.1",), "127.0.0.1", f"6.6.6.6, {neither}", "127.0.0.1")
        for neither in (
            "203.0.113.9:",
            "203.0.113.9:0",
            "203.0.113.9:65536",
            "203.0.113.9:080000",
            "203.0.113.9:-1",
            "203.0.113.9:+80",
            "203.0.113.9: 80",
            "203.0.113.9 :80",
            "203.0.113.9:8_0",
            "203.0.113.9:٨٠",
            "203.0.113.9:http",
            "203.0.113.9:80:80",
            ":80",
            "[203.0.113.9]:80",
            "[2001:db8::9",
            "2001:db8::9]",
            "[2001:db8::9]80",
            "[2001:db8::9]:",
            "[2001:db8::9]:80x",
            "[[2001:db8::9]]:80",
            "[fe80::1%eth0]:80",
            "[]:80",
            "example.org:80",
            '"[2001:db8::9]:80"',
        )
    ),
    (("127.0.0.1",), "127.0.0.1", "6.6.6.6," * 5000 + "203.0.113.9", "203.0.113.9"),
    (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6," + "10.0.0.2," * 5000 + "10.0.0.3", "10.0.0.2"),
    (("127.0.0.1",), "::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
    (("::1", "fd00::/8"), "::1", "2001:db8::9, fd00::2", "2001:db8::9"),
    (("::1",), "::1", "fe80::1%eth0", "::1"),
    (("unix",), "", "203.0.113.9", "203.0.113.9"),
    (("127.0.0.1",), "", "203.0.113.9", ""),
    (("unix",), "127.0.0.1", "203.0.113.9", "127.0.0.1"),
]


@pytest.mark.parametrize(("proxies", "peer", "chain", "visitor"), CHAINS)
def test_the_visitor_is_the_last_hop_that_no_proxy_of_ours_is(
    empty_database: None,
    settings: Settings,
    proxies: tuple[str, ...],
    peer: str,
    chain: str,
    visitor: str,
) -> None:
    chain = chain.encode().decode("latin-1")
    assert seen(settings, proxies, peer, X_Forwarded_For=chain)[0] == visitor


@pytest.mark.parametrize(
    ("proxies", "proto", "scheme"),
    [
        ((), "https", "http"),
        (("127.0.0.1",), "https", "https"),
        (("127.0.0.1",), "http, HTTPS ", "https"),
        (("127.0.0.1",), "javascript", "http"),
        (("10.0.0.1",), "https", "http"),
    ],
)
def test_the_scheme_is_believed_from_the_same_proxies_only(
    empty_database: None, settings: Settings, proxies: tuple[str, ...], proto: str, scheme: str
) -> None:
    assert seen(settings, proxies, "127.0.0.1", X_Forwarded_Proto=proto)[1] == scheme


def test_no_header_gives_the_site_another_name(empty_database: None, settings: Settings) -> None:
    app = create_app(replace(settings, proxies=("127.0.0.1",)))
    forged = {"X-Forwarded-Host": "evil.example.org", "Forwarded": "host=evil.example.org"}
    answer = app.test_client().get("/", headers=forged)
    assert answer.location == "/connexion"
    assert "evil" not in app.test_client().get("/connexion", headers=forged).text


def test_in_production_only_the_health_check_answers_under_the_machines_name(
    app: Flask, settings: Settings
) -> None:
    live = replace(
        settings, environment="production", public_url="https://kiosque.example.org", gateways={}
    )
    client: FlaskClient = create_app(live).test_client()
    assert client.get("/sante", base_url="http://127.0.0.1:8000").status_code == 200
    assert client.get("/connexion", base_url="http://127.0.0.1:8000").status_code == 400
    assert client.get("/connexion", base_url="https://kiosque.example.org").status_code == 200

"""The public address and the way of the notices, through proxies that are not well set."""

import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from kiosque.checkup import http_client, notification, public_address
from kiosque.checkup.findings import Findings, Level, Result
from kiosque.checkup.installation import Installation as Surveyed
from tests import sentences
from tests.installation import Fault, Front, Passing, canned, silence
from tests.kiosque.checkup.conftest import server_tls
from tests.kiosque.checkup.test_machine import told

Stand = Callable[..., Front]
Behind = Callable[..., Surveyed]
NOTIFY = "/paiement/notification/banque"


@pytest.fixture
def tls(authority: trustme.CA, trusted: Path) -> ssl.SSLContext:
    return server_tls(authority.issue_cert("127.0.0.1"))


def test_a_site_behind_a_good_proxy_is_well(
    stand: Stand, behind: Behind, tls: ssl.SSLContext
) -> None:
    front = stand(tls=tls, visitor="192.0.2.7")
    here = behind(front)
    result = public_address.check_public_address(here)
    assert result.level is Level.GOOD
    assert re.fullmatch(rf"{front.url} ; [^;]* \d+ jours", told(result))
    for name in ("banque", "tresor"):
        notices = notification.check_notification(here, name)
        assert (notices.level, notices.subject) == (Level.GOOD, f"Notification {name}")
        assert notices.detail == f"/paiement/notification/{name} {sentences.REACHES_THE_SITE}"
    assert front.asked.count(("POST", NOTIFY)) == 1


# --- Certificates ---


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (60, Level.GOOD, "59 jours"),
        (10, Level.LOOK, f"{sentences.CERTIFICATE_ENDS} 9 jours"),
        (2, Level.BROKEN, f"{sentences.CERTIFICATE_ENDS} 1 jour"),
        (-1, Level.BROKEN, f"/sante : {sentences.CERTIFICATE_ENDED}"),
    ],
)
def test_a_certificate_is_told_before_it_ends(
    stand: Stand,
    behind: Behind,
    authority: trustme.CA,
    trusted: Path,
    days: int,
    level: Level,
    words: str,
) -> None:
    now = datetime.now(UTC)
    leaf = authority.issue_cert(
        "127.0.0.1", not_before=now - timedelta(days=30), not_after=now + timedelta(days=days)
    )
    result = public_address.check_public_address(behind(stand(tls=server_tls(leaf))))
    assert result.level is level
    assert words in told(result)
    if level is Level.BROKEN:
        assert "certbot" in told(result)
    seen = result.certificate_ends_at
    assert (seen is not None) == (days > 0)
    if seen:
        assert abs(seen - now - timedelta(days=days)) < timedelta(minutes=1)


def test_a_certificate_of_another_name_or_that_nobody_knows_is_told(
    stand: Stand, behind: Behind, authority: trustme.CA, trusted: Path
) -> None:
    other = stand(tls=server_tls(authority.issue_cert("autre.example.org")))
    assert sentences.CERTIFICATE_OF_ANOTHER in told(
        public_address.check_public_address(behind(other))
    )
    unknown = stand(tls=server_tls(trustme.CA().issue_cert("127.0.0.1")))
    result = public_address.check_public_address(behind(unknown))
    assert sentences.CERTIFICATE_OF_NOBODY in told(result)
    assert other.asked == unknown.asked == []


def test_a_site_that_does_not_speak_tls_is_told(
    stand: Stand, behind: Behind, trusted: Path
) -> None:
    front = stand()
    here = behind(front, KIOSQUE_PUBLIC_URL=front.url.replace("http:", "https:"))
    assert sentences.TLS_FAILS in told(public_address.check_public_address(here))


# --- The name, the port, the site ---


def test_a_name_that_is_unknown_or_a_port_where_nobody_is(behind: Behind, stand: Stand) -> None:
    front = stand()
    nowhere = behind(front, KIOSQUE_PUBLIC_URL="http://kiosque.invalid")
    result = public_address.check_public_address(nowhere)
    (trouble,) = result.troubles
    assert sentences.NAME_UNKNOWN in trouble.what
    assert "DNS" in trouble.advice
    closed = public_address.check_public_address(
        behind(front, KIOSQUE_PUBLIC_URL="http://127.0.0.1:9")
    )
    assert sentences.NOBODY_LISTENS in told(closed)


def test_without_its_address_or_its_key_nothing_is_asked(behind: Behind, stand: Stand) -> None:
    front = stand()
    for settings in ({"KIOSQUE_PUBLIC_URL": ""}, {"KIOSQUE_SECRET_KEY": ""}):
        here = behind(front, **settings)
        assert public_address.check_public_address(here).level is Level.UNKNOWN
        assert notification.check_notification(here, "banque").level is Level.UNKNOWN
    assert front.asked == []


STRANGERS: dict[str, tuple[Fault, str]] = {
    "another site": (canned(200, "<h1>Bienvenue</h1>"), sentences.ANOTHER_MACHINE),
    "another of ours": (
        canned(200, '{"etat": "ok"}', "application/json"),
        sentences.OTHER_SETTINGS,
    ),
    "a password": (canned(401), sentences.NO_PASSWORD_NOR_FILTER),
    "a filter": (canned(403), sentences.NO_PASSWORD_NOR_FILTER),
    "nobody behind": (canned(502), sentences.IS_IT_RUNNING),
    "a redirection": (
        canned(301, Location="https://www.example.org/"),
        sentences.FINAL_ADDRESS,
    ),
    "nonsense": (lambda passing: passing.wfile.write(b"\0\0\0\r\n\r\n"), sentences.IS_IT_RUNNING),
    "too long": (canned(200, "x" * 200_000), sentences.ANOTHER_MACHINE),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_whoever_answers_in_the_place_of_the_site_is_told_and_no_notice_is_posted_there(
    stand: Stand, behind: Behind, kind: str
) -> None:
    fault, words = STRANGERS[kind]
    front = stand(faults={"/sante": fault})
    here = behind(front)
    result = public_address.check_public_address(here)
    assert result.level is Level.BROKEN
    assert words in told(result)
    notices = notification.check_notification(here, "banque")
    assert notices.level is Level.UNKNOWN
    assert sentences.NOT_POSTED in told(notices)
    assert not [asked for asked in front.asked if asked[0] == "POST"]


def test_a_site_that_never_answers_is_left(
    stand: Stand, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_address, "SECONDS", 0.2)
    result = public_address.check_public_address(behind(stand(faults={"/sante": silence})))
    assert sentences.NO_ANSWER_IN_TIME in told(result)


def test_the_running_site_has_other_settings(stand: Stand, behind: Behind) -> None:
    here = behind(stand(), KIOSQUE_SECRET_KEY="Zq8nXd3Yo0UcSl5XtZe7IhKq4MgOy9Bf")
    assert f"{sentences.OTHER_SETTINGS} (secret_key)" in told(
        public_address.check_public_address(here)
    )
    assert notification.check_notification(here, "banque").level is Level.UNKNOWN


def unwell(passing: Passing) -> None:
    """The site's own answer, as it is when its database does not serve."""
    tell = passing.tell
    passing.tell = lambda _status, headers, body: tell(503, headers, body)  # type: ignore[method-assign]
    passing.pass_on()


def test_a_site_that_says_it_cannot_serve_is_told_as_such(stand: Stand, behind: Behind) -> None:
    result = public_address.check_public_address(behind(stand(faults={"/sante": unwell})))
    assert result.level is Level.BROKEN
    assert f"{sentences.OUT_OF_SERVICE} (503)" in told(result)
    assert sentences.NOT_THIS_SITE not in told(result)


# --- What the site sees ---


def test_headers_that_a_proxy_takes_out_are_told(
    stand: Stand, behind: Behind, tls: ssl.SSLContext
) -> None:
    front = stand(
        tls=tls, hides=frozenset({"Strict-Transport-Security", "Content-Security-Policy"})
    )
    result = public_address.check_public_address(behind(front))
    assert result.level is Level.LOOK
    assert "Content-Security-Policy" in told(result)


def seen(here: Surveyed, **values: str) -> Result:
    """Check a reply by which the site says what it saw of the request."""
    reply = http_client.Reply(
        200, {}, "", datetime.now(UTC), datetime.now(UTC), 0, "192.0.2.9", None
    )
    found = Findings()
    scheme = {"scheme": "http", "forwarded": "none"}
    public_address._check_visitor(here, {**scheme, **values}, reply, found)
    return found.result("Adresse publique")


def test_a_site_that_sees_its_proxy_for_the_visitor_is_told(stand: Stand, behind: Behind) -> None:
    here = behind(stand())
    assert seen(here, address="192.0.2.9").level is Level.GOOD
    assert seen(here, address="2001:db8::1", forwarded="believed").level is Level.GOOD
    for values in (
        {"address": "127.0.0.1"},  # a proxy of this machine that says nothing
        {"address": ""},  # one that comes by a socket file
        {"address": "172.17.0.1", "forwarded": "ignored"},  # one that the settings do not name
    ):
        result = seen(here, **values)
        assert result.level is Level.BROKEN
        assert sentences.PROXY_SEEN in told(result)
        assert "dans proxies" in told(result)
    assert seen(here, address="192.0.2.9", scheme="https").level is Level.LOOK


def test_a_proxy_that_does_not_say_https_is_told(
    stand: Stand, behind: Behind, tls: ssl.SSLContext
) -> None:
    result = public_address.check_public_address(behind(stand(tls=tls, tells=False)))
    assert sentences.HTTPS_NOT_SEEN in told(result)


def test_who_types_the_name_without_https_is_sent_there(stand: Stand) -> None:
    def in_clear(**faults: Fault) -> str:
        found, front = Findings(), stand(faults=faults)
        public_address.check_in_clear("127.0.0.1", front.port, found)
        return told(found.result("Adresse publique"))

    assert in_clear(**{"/sante": canned(301, Location="https://127.0.0.1/sante")}) == ""
    assert f"{sentences.NOT_SENT_TO_HTTPS} (réponse 200)" in in_clear()
    assert "302" in in_clear(**{"/sante": canned(302, Location="http://a.example.org/")})
    found = Findings()
    public_address.check_in_clear("127.0.0.1", 9, found)
    assert sentences.NOTHING_IN_CLEAR in told(found.result("Adresse publique"))


# --- The notices ---

WRONG: dict[str, tuple[Fault, str]] = {
    "redirects": (
        canned(301, Location="https://www.example.org/"),
        f"{sentences.SENT_ELSEWHERE} : {sentences.NOTICE_LOST}",
    ),
    "redirects once": (
        canned(307, Location=NOTIFY + "/"),
        f"{sentences.SENT_ELSEWHERE} : {sentences.NOTICE_LOST}",
    ),
    "says yes": (canned(200, "OK"), f"{sentences.BY_ANOTHER} : {sentences.NOTICE_LOST}"),
    "is down for works": (canned(503, "<h1>Maintenance</h1>"), sentences.IS_IT_RUNNING),
    "filters": (canned(403, "<h1>Forbidden</h1>"), sentences.FILTERED),
    "wants a password": (canned(401), sentences.PASSWORD_ASKED),
    "does not know": (canned(404, "<h1>Not Found</h1>"), sentences.NOT_PASSED_ON),
    "only reads": (canned(405), sentences.NO_POST),
    "is too narrow": (canned(413), "client_max_body_size"),
    "refuses": (canned(400, "KO", "text/plain"), sentences.FILTER_BEFORE),
    "wants less": (canned(429), sentences.FILTER_BEFORE),
    "has no site": (canned(502), sentences.IS_IT_RUNNING),
    "speaks nonsense": (lambda passing: passing.wfile.write(b"\0"), sentences.IS_IT_RUNNING),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_a_bank_would_meet_in_the_place_of_the_site_is_told(
    stand: Stand, behind: Behind, kind: str
) -> None:
    fault, words = WRONG[kind]
    here = behind(stand(faults={NOTIFY: fault}))
    assert public_address.check_public_address(here).level is Level.GOOD
    result = notification.check_notification(here, "banque")
    assert result.level is Level.BROKEN
    assert words in told(result)
    assert notification.check_notification(here, "tresor").level is Level.GOOD


def test_the_way_must_be_as_quick_as_a_bank_wants_it(
    stand: Stand, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification, "BANK_SECONDS", 0)
    result = notification.check_notification(behind(stand()), "banque")
    assert result.level is Level.BROKEN
    (trouble,) = result.troubles
    assert sentences.numbers(trouble.what)[-1] == 0
    monkeypatch.setattr(notification, "BANK_SECONDS", -2.8)
    result = notification.check_notification(behind(stand(faults={NOTIFY: silence})), "banque")
    assert sentences.NO_ANSWER_IN_TIME in told(result)


def test_a_gateway_that_the_running_site_does_not_have(
    stand: Stand, behind: Behind, installation: object
) -> None:
    here = behind(stand())
    result = notification.check_notification(here, "autre")
    assert "404" in told(result)
    assert sentences.OTHER_SETTINGS in told(result)

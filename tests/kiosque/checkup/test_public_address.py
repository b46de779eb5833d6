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
    assert re.fullmatch(rf"{front.url} ; certificat pour \d+ jours", told(result))
    for name in ("banque", "tresor"):
        notices = notification.check_notification(here, name)
        assert (notices.level, notices.subject) == (Level.GOOD, f"Notification {name}")
        assert notices.detail == f"/paiement/notification/{name} atteint le site"
    assert front.asked.count(("POST", NOTIFY)) == 1


# --- Certificates ---


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (60, Level.GOOD, "certificat pour 59 jours"),
        (10, Level.LOOK, "le certificat finit dans 9 jours"),
        (2, Level.BROKEN, "le certificat finit dans 1 jour"),
        (-1, Level.BROKEN, "/sante : le certificat a expiré"),
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


def test_a_certificate_of_another_name_or_that_nobody_knows_is_told(
    stand: Stand, behind: Behind, authority: trustme.CA, trusted: Path
) -> None:
    other = stand(tls=server_tls(authority.issue_cert("autre.example.org")))
    assert "le certificat est d’une autre adresse" in told(
        public_address.check_public_address(behind(other))
    )
    unknown = stand(tls=server_tls(trustme.CA().issue_cert("127.0.0.1")))
    result = public_address.check_public_address(behind(unknown))
    assert "le certificat vient d’une autorité inconnue" in told(result)
    assert other.asked == unknown.asked == []


def test_a_site_that_does_not_speak_tls_is_told(
    stand: Stand, behind: Behind, trusted: Path
) -> None:
    front = stand()
    here = behind(front, KIOSQUE_PUBLIC_URL=front.url.replace("http:", "https:"))
    assert "la connexion chiffrée échoue" in told(public_address.check_public_address(here))


# --- The name, the port, the site ---


def test_a_name_that_is_unknown_or_a_port_where_nobody_is(behind: Behind, stand: Stand) -> None:
    front = stand()
    nowhere = behind(front, KIOSQUE_PUBLIC_URL="http://kiosque.invalid")
    result = public_address.check_public_address(nowhere)
    assert "le nom est introuvable (DNS)" in told(result)
    assert "DNS de la commune" in told(result)
    closed = public_address.check_public_address(
        behind(front, KIOSQUE_PUBLIC_URL="http://127.0.0.1:9")
    )
    assert "rien n’écoute à cette adresse" in told(closed)


def test_without_its_address_or_its_key_nothing_is_asked(behind: Behind, stand: Stand) -> None:
    front = stand()
    for settings in ({"KIOSQUE_PUBLIC_URL": ""}, {"KIOSQUE_SECRET_KEY": ""}):
        here = behind(front, **settings)
        assert public_address.check_public_address(here).level is Level.UNKNOWN
        assert notification.check_notification(here, "banque").level is Level.UNKNOWN
    assert front.asked == []


STRANGERS: dict[str, tuple[Fault, str]] = {
    "another site": (canned(200, "<h1>Bienvenue</h1>"), "Le nom mène peut-être à une autre"),
    "another of ours": (canned(200, '{"etat": "ok"}', "application/json"), "Relancez le site"),
    "a password": (canned(401), "ni mot de passe, ni filtre"),
    "a filter": (canned(403), "ni mot de passe, ni filtre"),
    "nobody behind": (canned(502), "Voyez si le site tourne"),
    "a redirection": (
        canned(301, Location="https://www.example.org/"),
        "public_url doit être l’adresse finale",
    ),
    "nonsense": (lambda passing: passing.wfile.write(b"\0\0\0\r\n\r\n"), "Voyez si le site"),
    "too long": (canned(200, "x" * 200_000), "Le nom mène peut-être à une autre"),
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
    assert "l’avis n’a pas été posté" in told(notices)
    assert not [asked for asked in front.asked if asked[0] == "POST"]


def test_a_site_that_never_answers_is_left(
    stand: Stand, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_address, "SECONDS", 0.2)
    result = public_address.check_public_address(behind(stand(faults={"/sante": silence})))
    assert "pas de réponse à temps" in told(result)


def test_the_running_site_has_other_settings(stand: Stand, behind: Behind) -> None:
    here = behind(stand(), KIOSQUE_SECRET_KEY="Zq8nXd3Yo0UcSl5XtZe7IhKq4MgOy9Bf")
    assert "il tourne avec d’autres réglages (secret_key)" in told(
        public_address.check_public_address(here)
    )
    assert notification.check_notification(here, "banque").level is Level.UNKNOWN


def unwell(passing: Passing) -> None:
    """The site's own answer, as it is when its base does not serve."""
    tell = passing.tell
    passing.tell = lambda _status, headers, body: tell(503, headers, body)  # type: ignore[method-assign]
    passing.pass_on()


def test_a_site_that_says_it_cannot_serve_is_told_as_such(stand: Stand, behind: Behind) -> None:
    result = public_address.check_public_address(behind(stand(faults={"/sante": unwell})))
    assert result.level is Level.BROKEN
    assert "le site se dit hors service (503)" in told(result)
    assert "ce n’est pas ce site" not in told(result)


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
        assert "le site voit son mandataire" in told(result)
        assert "Nommez le mandataire dans proxies" in told(result)
    assert seen(here, address="192.0.2.9", scheme="https").level is Level.LOOK


def test_a_proxy_that_does_not_say_https_is_told(
    stand: Stand, behind: Behind, tls: ssl.SSLContext
) -> None:
    result = public_address.check_public_address(behind(stand(tls=tls, tells=False)))
    assert "le site ne sait pas que le visiteur vient en https" in told(result)


def test_who_types_the_name_without_https_is_sent_there(stand: Stand) -> None:
    def in_clear(**faults: Fault) -> str:
        found, front = Findings(), stand(faults=faults)
        public_address.check_in_clear("127.0.0.1", front.port, found)
        return told(found.result("Adresse publique"))

    assert in_clear(**{"/sante": canned(301, Location="https://127.0.0.1/sante")}) == ""
    assert "http ne renvoie pas vers https (réponse 200)" in in_clear()
    assert "réponse 302" in in_clear(**{"/sante": canned(302, Location="http://a.example.org/")})
    found = Findings()
    public_address.check_in_clear("127.0.0.1", 9, found)
    assert "rien ne répond en http" in told(found.result("Adresse publique"))


# --- The notices ---

WRONG: dict[str, tuple[Fault, str]] = {
    "redirects": (canned(301, Location="https://www.example.org/"), "un renvoi : la banque comp"),
    "redirects once": (canned(307, Location=NOTIFY + "/"), "un renvoi : la banque compterait"),
    "says yes": (canned(200, "OK"), "d’un autre que le site : la banque compterait"),
    "is down for works": (canned(503, "<h1>Maintenance</h1>"), "Voyez si le site tourne"),
    "filters": (canned(403, "<h1>Forbidden</h1>"), "pare-feu applicatif"),
    "wants a password": (canned(401), "demande un mot de passe"),
    "does not know": (canned(404, "<h1>Not Found</h1>"), "ne passe pas cette adresse"),
    "only reads": (canned(405), "n’accepte pas POST"),
    "is too narrow": (canned(413), "client_max_body_size"),
    "refuses": (canned(400, "KO", "text/plain"), "Un filtre devant le site refuse l’avis"),
    "wants less": (canned(429), "Un filtre devant le site refuse l’avis"),
    "has no site": (canned(502), "Voyez si le site tourne"),
    "speaks nonsense": (lambda passing: passing.wfile.write(b"\0"), "Voyez si le site tourne"),
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
    assert "une banque n’attend que 0 s" in told(result)
    monkeypatch.setattr(notification, "BANK_SECONDS", -2.8)
    result = notification.check_notification(behind(stand(faults={NOTIFY: silence})), "banque")
    assert "pas de réponse à temps" in told(result)


def test_a_gateway_that_the_running_site_does_not_have(
    stand: Stand, behind: Behind, installation: object
) -> None:
    here = behind(stand())
    result = notification.check_notification(here, "autre")
    assert "réponse 404" in told(result)
    assert "d’autres réglages : relancez-le" in told(result)

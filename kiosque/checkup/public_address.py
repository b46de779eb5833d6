"""Check the public address as families reach it, and that this very site answers there."""

import http.client
import ipaddress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from kiosque.checkup import http_client
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.http_client import Reply
from kiosque.checkup.installation import Installation
from kiosque.language.formats import counted
from kiosque.web import probe

HEALTH = "/sante"
SECONDS = 10
#: Days before the end of a certificate; one that renews itself does so a month before.
LOOK_DAYS, BROKEN_DAYS = 14, 3
HTTP_PORT = 80
#: Headers that the site sends with each answer, and that a proxy must leave.
HEADERS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
)
_PROXY = "Voyez le serveur mandataire (nginx) et public_url."
_UP = "Voyez si le site tourne (« systemctl status »), son journal, et le serveur mandataire."


def check_public_address(installation: Installation) -> Result:
    found = Findings()
    if not is_known(installation):
        found.unknown("public_url et secret_key n’ont pas pu être lus", "Corrigez-les d’abord.")
        return found.result("Adresse publique")
    found.see(installation.public_url)
    token = probe.token(installation.secret_key, probe.HEALTH)
    try:
        reply = ask_health(installation, token)
    except (OSError, http.client.HTTPException) as error:
        found.broken(f"{HEALTH}\u00a0: {http_client.say(error)}", remedy(error))
    else:
        _check_reply(installation, token, reply, found)
    if (
        installation.public_url.startswith("https://")
        and not urlsplit(installation.public_url).port
    ):
        check_in_clear(str(urlsplit(installation.public_url).hostname), HTTP_PORT, found)
    return found.result("Adresse publique")


def is_known(installation: Installation) -> bool:
    """Return True if enough of the settings can be read to look for the site."""
    return bool(installation.secret_key and urlsplit(installation.public_url).hostname)


def ask_health(installation: Installation, token: str) -> Reply:
    """Request the health page with a token of ours. Raises OSError, HTTPException."""
    url = f"{installation.public_url}{HEALTH}"
    return http_client.ask("GET", url, headers={probe.HEADER: token}, seconds=SECONDS)


def seen_by_site(installation: Installation, token: str, reply: Reply) -> dict[str, str] | None:
    """Return what the site saw of our request; None if the answer is not our own site's."""
    return probe.read_answer(installation.secret_key, token, reply.header(probe.HEADER))


def remedy(error: Exception) -> str:
    """Return, in French, what to do when there is no answer."""
    words = http_client.say(error)
    if "certificat" in words:
        return (
            "Renouvelez le certificat, chaîne complète (« certbot renew », fullchain.pem), puis "
            "rechargez nginx."
        )
    if "DNS" in words:
        return "Faites pointer ce nom vers cette machine dans le DNS de la commune."
    return f"{_UP} Si le site répond du dehors mais pas d’ici, voyez le pare-feu (NAT en épingle)."


def _check_reply(installation: Installation, token: str, reply: Reply, found: Findings) -> None:
    _check_certificate(reply, found)
    seen = seen_by_site(installation, token, reply)
    if 300 <= reply.status < 400:
        found.broken(
            f"{HEALTH} renvoie vers une autre adresse ({reply.status})",
            "public_url doit être l’adresse finale : https, avec ou sans www. Corrigez l’un ou "
            "l’autre.",
        )
    elif seen is None:
        found.broken(*_stranger(reply))
    elif reply.status != 200:
        found.broken(
            f"le site se dit hors service ({reply.status})", "Voyez « Base » et « Disque »."
        )
    if seen is not None:
        _check_headers(installation, reply, found)
        _check_visitor(installation, seen, reply, found)


def _check_certificate(reply: Reply, found: Findings) -> None:
    if reply.certificate_ends is None:
        return
    found.certificate_ends_at = reply.certificate_ends
    days = (reply.certificate_ends - datetime.now(UTC)).days
    advice = "Voyez pourquoi il ne se renouvelle pas : « certbot renew --dry-run »."
    if days < BROKEN_DAYS:
        found.broken(f"le certificat finit dans {counted(days, 'jour')}", advice)
    elif days < LOOK_DAYS:
        found.look(f"le certificat finit dans {counted(days, 'jour')}", advice)
    else:
        found.see(f"certificat pour {counted(days, 'jour')}")


def _stranger(reply: Reply) -> tuple[str, str]:
    """Return (fault, remedy) when another site answers, or ours with other settings."""
    what = f"ce n’est pas ce site qui répond à {HEALTH} (réponse {reply.status})"
    if reply.status in (401, 403, 407):
        return what, (
            "Ouvrez le site à tous dans le serveur mandataire : ni mot de passe, ni filtre."
        )
    if reply.status in (502, 503, 504):
        return what, _UP
    if '"etat"' in reply.body:
        return what, (
            "Relancez le site : il tourne avec d’autres réglages (secret_key) ou une autre version."
        )
    return what, f"{_PROXY} Le nom mène peut-être à une autre machine."


def _check_headers(installation: Installation, reply: Reply, found: Findings) -> None:
    names = list(HEADERS)
    if installation.public_url.startswith("https://"):
        names.append("Strict-Transport-Security")
    lacking = [name for name in names if not reply.header(name)]
    if lacking:
        found.look(
            f"en-têtes de sécurité perdus en chemin\u00a0: {', '.join(lacking)}",
            "Le serveur mandataire les retire : voyez proxy_hide_header et add_header.",
        )


def _check_visitor(
    installation: Installation, seen: dict[str, str], reply: Reply, found: Findings
) -> None:
    """Report a site that sees its proxy in place of the visitor: sign-in is limited by address."""
    advice = (
        "Nommez le mandataire dans proxies, et qu’il envoie X-Forwarded-For et X-Forwarded-Proto "
        "(docs/configuration.md)."
    )
    here = _is_this_machine(seen.get("address", ""))
    passed_off = here and not _is_this_machine(reply.local)
    if seen.get("forwarded") == "ignored" or here is None or passed_off:
        found.broken(
            "le site voit son mandataire à la place du visiteur : que l’un essaie des mots de "
            "passe, et toutes les familles attendent",
            advice,
        )
    elif seen.get("scheme", "") != urlsplit(installation.public_url).scheme:
        found.look("le site ne sait pas que le visiteur vient en https", advice)


def _is_this_machine(text: str) -> bool | None:
    """Return True for a loopback address; None for what is no address, such as a socket file."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return None


def check_in_clear(host: str, port: int, found: Findings) -> None:
    """Report an HTTP port that does not redirect to HTTPS."""
    advice = f"Dans nginx, sur le port {port} : « return 301 https://$host$request_uri; »."
    try:
        reply = http_client.ask("GET", f"http://{host}:{port}{HEALTH}", seconds=SECONDS)
    except (OSError, http.client.HTTPException):
        found.look("rien ne répond en http", advice)
        return
    if not (300 <= reply.status < 400 and reply.header("Location").startswith("https://")):
        found.look(f"http ne renvoie pas vers https (réponse {reply.status})", advice)

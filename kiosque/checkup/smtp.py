"""Check the mail server, without sending anything."""

import contextlib
import smtplib
import socket
import ssl

from email_validator import EmailNotValidError, validate_email

from kiosque.checkup import http_client
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.mails import delivery
from kiosque.settings import Mail

SECONDS = 6
_PORTS = "587 va avec starttls, 465 avec tls"

#: (error, fault, remedy); the first error that fits is reported. `{said}` stands for the error in
#: French, `{code}` for the server's code, `{port}` for the port of the settings.
_FAILURES: tuple[tuple[type[OSError], str, str], ...] = (
    (
        smtplib.SMTPAuthenticationError,
        "le serveur refuse le compte ou le mot de passe",
        "Corrigez [mail] username et password (certains demandent un mot de passe d’application).",
    ),
    (
        smtplib.SMTPNotSupportedError,
        "le serveur ne sait pas chiffrer, ou n’attend pas de compte, sur ce port",
        f"Corrigez [mail] port et security\u00a0: {_PORTS}.",
    ),
    (
        smtplib.SMTPResponseException,
        "le serveur refuse de nous parler (réponse {code})",
        "Demandez au prestataire s’il admet l’adresse de cette machine.",
    ),
    (
        smtplib.SMTPException,
        "le serveur raccroche",
        f"Voyez [mail] port et security\u00a0: {_PORTS}.",
    ),
    (
        ConnectionResetError,
        "le serveur raccroche",
        f"Voyez [mail] port et security\u00a0: {_PORTS}.",
    ),
    (
        ssl.SSLCertVerificationError,
        "{said}",
        "Écrivez dans [mail] host le nom qui est dans le certificat ; ou faites-le renouveler.",
    ),
    (
        ssl.SSLError,
        "la connexion chiffrée échoue",
        f"Corrigez [mail] port et security\u00a0: {_PORTS}.",
    ),
    (
        socket.gaierror,
        "le nom du serveur est introuvable (DNS)",
        "Corrigez [mail] host, ou le DNS de cette machine (« resolvectl query »).",
    ),
    (
        TimeoutError,
        "le serveur ne répond pas",
        f"Voyez le pare-feu (sortie, port {{port}}), et [mail] port\u00a0: {_PORTS}.",
    ),
    (
        OSError,
        "{said}",
        "Corrigez [mail] host et port ; voyez si le serveur est en marche.",
    ),
)


def check_smtp(installation: Installation) -> Result:
    """Connect, encrypt, sign in, propose our sender, and leave; report what fails."""
    found = Findings()
    if installation.mail is None:
        found.unknown("les réglages [mail] n’ont pas pu être lus", "Corrigez-les d’abord.")
    elif not installation.mail.host:
        found.see("aucun serveur : des fichiers dans outbox/")
    else:
        found.see(
            f"{installation.mail.host}:{installation.mail.port} ({installation.mail.security})"
        )
        _check_server(installation.mail, found)
        if installation.live:
            _check_sender(installation.mail, found)
    return found.result("Courriel")


def _check_server(settings: Mail, found: Findings) -> None:
    smtp: smtplib.SMTP | None = None
    try:
        smtp = delivery.connect(settings, SECONDS)
        smtp.ehlo_or_helo_if_needed()
        smtp.noop()
        code, _ = smtp.mail(settings.sender)
        smtp.rset()
    except OSError as error:
        found.broken(*_say(error, settings))
        return
    finally:
        if smtp:
            with contextlib.suppress(OSError):
                smtp.quit()
            smtp.close()
    if code >= 400:
        found.broken(
            f"le serveur refuse l’expéditeur [mail] sender (réponse {code})",
            "Demandez au prestataire d’admettre cette adresse, ou changez [mail] sender.",
        )
    elif settings.username:
        found.see("compte accepté, rien n’a été envoyé")
    else:
        found.see("sans compte, rien n’a été envoyé")


def _say(error: OSError, settings: Mail) -> tuple[str, str]:
    """Return (fault, remedy), never the text of the server, which may quote an address."""
    # The library reports a server that stays silent as disconnected.
    cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) else None
    met = cause if isinstance(cause, OSError) else error
    what, advice = next(told for kind, *told in _FAILURES if isinstance(met, kind))
    details = {
        "said": http_client.say(met),
        "code": getattr(met, "smtp_code", ""),
        "port": settings.port,
    }
    return what.format(**details), advice.format(**details)


def _check_sender(settings: Mail, found: Findings) -> None:
    """Report a sender whose domain cannot receive mail: many servers refuse it."""
    try:
        validate_email(settings.sender, check_deliverability=True, timeout=SECONDS)
    except EmailNotValidError:
        found.look(
            "le domaine de [mail] sender ne reçoit pas de courriel (DNS, MX)",
            "Prenez une adresse du domaine de la commune, relevée (docs/mail.md)\u00a0: les "
            "messages de retour y arrivent.",
        )

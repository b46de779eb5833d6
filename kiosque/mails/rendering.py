"""What each mail says, made from the base each time one leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kiosque.db.models import (
    Anomaly,
    Family,
    FamilyNotice,
    OutboxMail,
    Receipt,
    Token,
)
from kiosque.db.states import NoticeKind
from kiosque.families import contacts, tokens
from kiosque.invoices import announcements
from kiosque.language import catalogue, templates
from kiosque.outbox import addresses
from kiosque.papers import content
from kiosque.settings import Settings

_environment = templates.environment()
_environment.filters["address"] = addresses.shown


@dataclass(frozen=True)
class Letter:
    """A mail as it leaves. `html` says the same as `text`, or is empty; `stop_url` stops mails
    of its kind, empty for those that somebody asked for."""

    subject: str
    text: str
    html: str = ""
    stop_url: str = ""


def render_mail(settings: Settings, row: OutboxMail) -> Letter | None:
    """A queued mail in its reader's language, or None when it has nothing to say any more.

    The first line of its text template is the subject.
    """
    if row.template in _NOTICES:
        context = _notice_context(settings, row)
    elif row.template == "reset" and not _still_written_to(row):
        return None
    else:
        context = _MAKERS[row.template](row.object_id)
    if context is None:
        return None
    family = context.get("family")
    with catalogue.using(family.language if isinstance(family, Family) else catalogue.SOURCE):
        text = _render(f"{row.template}.txt", settings, context)
        subject, _, body = text.partition("\n")
        subject = subject.strip()
        html = ""
        if (templates.TEMPLATES / "mail" / f"{row.template}.html").exists():
            html = _render(f"{row.template}.html", settings, {"subject": subject, **context})
    return Letter(subject, body.strip("\n") + "\n", html, str(context.get("stop_url", "")))


def mail_family(row: OutboxMail) -> Family | None:
    """The family that a queued mail is about, None when it is about none."""
    if row.template in _NOTICES:
        return FamilyNotice.get_by_id(row.object_id).family
    if row.template == "receipt":
        return Receipt.get_by_id(row.object_id).settlement.family
    if row.template in LINKS:
        token = Token.get_or_none(Token.id == row.object_id)
        return token.family if token else None
    return Family.get_by_id(row.object_id) if row.template in _CHANGES else None


def _render(name: str, settings: Settings, context: Mapping[str, object]) -> str:
    template = _environment.get_template(f"mail/{name}")
    return template.render(settings=settings, language=catalogue.language(), **context)


def _receipt_context(number: int) -> dict[str, object]:
    document = content.receipt_document(Receipt.get_by_id(number))
    return {"document": document, "family": document.settlement.family}


def _anomaly_context(anomaly_id: int) -> dict[str, object]:
    return {"anomaly": Anomaly.get_by_id(anomaly_id)}


def _link_context(token_id: int) -> dict[str, object] | None:
    secret = tokens.draw_link(token_id)
    if secret is None:
        return None
    token = Token.select(Token, Family).join(Family).where(Token.id == token_id).get()
    return {"family": token.family, "secret": secret}


def _still_written_to(row: OutboxMail) -> bool:
    """Whether the address a link goes to is still one of its family's."""
    family = mail_family(row)
    return family is not None and contacts.is_written_to_at(family, row.recipient)


def _family_context(family_id: int) -> dict[str, object]:
    return {"family": Family.get_by_id(family_id)}


def _notice_context(settings: Settings, row: OutboxMail) -> dict[str, object] | None:
    found = announcements.content(row.object_id, row.recipient)
    if found is None:
        return None
    token = announcements.stop_token(settings.secret_key, found.family)
    stop_url = f"{settings.public_url}/courriels/arret/{token}"
    return {"notice": found, "family": found.family, "stop_url": stop_url}


_NOTICES = frozenset(NoticeKind)
#: Mails that carry a link, drawn anew each time one leaves.
LINKS = ("reset", "email_confirm")
_CHANGES = ("password_changed", "email_asked", "email_changed")
#: What every other mail says, from the number of what it is about; None when that is over.
_MAKERS: dict[str, Callable[[int], dict[str, object] | None]] = {
    "receipt": _receipt_context,
    "anomaly": _anomaly_context,
    **dict.fromkeys(LINKS, _link_context),
    **dict.fromkeys(_CHANGES, _family_context),
}

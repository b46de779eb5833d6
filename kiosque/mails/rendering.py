"""Every mail, declared once, and turned into words when it leaves.

To add a mail: write `templates/mail/NAME.txt`, whose first line is the subject, and `NAME.html` for
a mail that families read; declare it in `_DECLARED` below; queue it by `outbox.queue.add` in the
transaction that makes it necessary.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

from kiosque import payments
from kiosque.db.models import (
    Anomaly,
    Family,
    FamilyNotice,
    FamilyRequest,
    OutboxMail,
    Receipt,
    StaffInvitation,
    Token,
)
from kiosque.db.states import NoticeKind, RequestTopic
from kiosque.families import contacts, requests, tokens
from kiosque.invoices import announcements
from kiosque.language import catalogue, templates
from kiosque.outbox import addresses
from kiosque.papers import content, receipts_and_invoices
from kiosque.papers.content import ReceiptDocument
from kiosque.settings import Settings
from kiosque.staff import invitations

_environment = templates.environment()
_NAMES = frozenset(_environment.list_templates())
_environment.filters["address"] = addresses.shown

Facts = dict[str, object]


@dataclass(frozen=True)
class MailKind:
    """One kind of mail; `words` name it in French, for the town hall.

    `family` finds, from the object's id in the outbox, the family that the mail is about, whose
    language it is in; None for a mail in French that is about no family. `facts` returns the values
    for the template, in that language, looked up each time the mail leaves; None if there is no
    longer anything to say. An `optional` mail may be stopped by the family, waits for a decent hour
    and lets all others go first. `link` draws, from the object's id, the secret of the mail's link
    each time it leaves; None if the link is no longer valid. `paper` makes the PDF to attach.
    """

    template: str
    words: str
    family: Callable[[int], Family | None]
    facts: Callable[[Settings, OutboxMail], Facts | None] = lambda _settings, _row: {}
    optional: bool = False
    link: Callable[[int], str | None] | None = None
    paper: Callable[[Settings, Facts], "AttachedPaper"] | None = None


class AttachedPaper(NamedTuple):
    """A PDF that goes with a mail, and the name of its file."""

    name: str
    content: bytes


@dataclass(frozen=True)
class RenderedMail:
    """A mail as it leaves. `html` says the same as `text`, or is empty; `stop_url` stops mails of
    its kind, and is empty for those that cannot be stopped; `paper` goes with it, or is None."""

    subject: str
    text: str
    html: str = ""
    stop_url: str = ""
    paper: AttachedPaper | None = None


def family_of(row: OutboxMail) -> Family | None:
    """Return the family that a queued mail is about, or None."""
    kind = KINDS.get(row.template)
    return kind.family(row.object_id) if kind else None


def words_of(row: OutboxMail) -> str:
    """Return the French name of the kind of a queued mail; its code if it is no longer declared."""
    kind = KINDS.get(row.template)
    return kind.words if kind else row.template


def render_mail(settings: Settings, row: OutboxMail, secret: str = "") -> RenderedMail | None:
    """Return a queued mail in its reader's language, or None when it has nothing to say any more.

    `secret` is that of the link, for a kind that has one.
    """
    kind = KINDS[row.template]
    family = kind.family(row.object_id)
    with catalogue.using(family.language if family else catalogue.SOURCE):
        facts = kind.facts(settings, row)
        if facts is None:
            return None
        if family and kind.optional:
            facts["stop_url"] = _stop_url(settings, family)
        if kind.link:
            facts["secret"] = secret
        text = _render(f"{kind.template}.txt", settings, facts)
        subject, _, body = text.partition("\n")
        facts["subject"] = subject.strip()
        paper = kind.paper(settings, facts) if kind.paper else None
        html = ""
        if f"mail/{kind.template}.html" in _NAMES:
            html = _render(f"{kind.template}.html", settings, facts)
    stop_url = str(facts.get("stop_url", ""))
    return RenderedMail(subject.strip(), body.strip("\n") + "\n", html, stop_url, paper)


def _render(name: str, settings: Settings, facts: Mapping[str, object]) -> str:
    template = _environment.get_template(f"mail/{name}")
    return template.render(settings=settings, language=catalogue.language(), **facts)


def _stop_url(settings: Settings, family: Family) -> str:
    token = announcements.stop_token(settings.secret_key, family)
    return f"{settings.public_url}/courriels/arret/{token}"


def _payer(receipt_id: int) -> Family | None:
    family: Family | None = Receipt.get_by_id(receipt_id).settlement.family
    return family


def _nobody(_object_id: int) -> None:
    return None


def _told(notice_id: int) -> Family:
    family: Family = FamilyNotice.get_by_id(notice_id).family
    return family


def _of_token(token_id: int) -> Family | None:
    token = Token.get_or_none(Token.id == token_id)
    return token.family if token else None


def _asking(request_id: int) -> Family | None:
    request = FamilyRequest.get_or_none(FamilyRequest.id == request_id)
    return request.family if request else None


def _request(_settings: Settings, row: OutboxMail) -> Facts | None:
    request = FamilyRequest.get_or_none(FamilyRequest.id == row.object_id)
    if request is None:  # erased with age, while its mail could not leave
        return None
    return {
        "request": request,
        "topic": catalogue.gettext(requests.TOPICS[RequestTopic(request.topic)]),
        "addresses": contacts.addresses(request.family),
    }


def _receipt(_settings: Settings, row: OutboxMail) -> Facts:
    return {"document": content.receipt_document(Receipt.get_by_id(row.object_id))}


def _receipt_paper(settings: Settings, facts: Facts) -> AttachedPaper:
    document = cast("ReceiptDocument", facts["document"])
    return AttachedPaper(
        f"recu-{document.receipt.title}.pdf", receipts_and_invoices.receipt(settings, document)
    )


def _anomaly(_settings: Settings, row: OutboxMail) -> Facts | None:
    anomaly = Anomaly.get_by_id(row.object_id)
    if anomaly.resolved_at:
        return None
    _family, numbers = payments.concerned(anomaly)
    return {"anomaly": anomaly, "invoice_numbers": numbers}


def _notice(settings: Settings, row: OutboxMail) -> Facts | None:
    notice = announcements.content_of(row.object_id, row.recipient, row.queued_at)
    if notice is None:
        return None
    closed = payments.closure_words()
    banks = {settings.gateway_of(invoice.regie) or "" for invoice in notice.invoices}
    return {
        "notice": notice,
        "unanswered_at": payments.unanswered_of(notice.invoices),
        "closures": sorted({closed[name] for name in banks & closed.keys()}),
        "overpaid_cents": payments.overpaid_to(notice.family),
    }


def _link_to_a_held_address(settings: Settings, row: OutboxMail) -> Facts | None:
    family = family_of(row)
    welcome = family and contacts.is_written_to_at(family, row.recipient)
    return _account(settings, row) if welcome else None


def _sign_in(settings: Settings, row: OutboxMail) -> Facts | None:
    facts = _link_to_a_held_address(settings, row)
    return facts and {**facts, "at": Token.get_by_id(row.object_id).issued_at}


def _account(_settings: Settings, row: OutboxMail) -> Facts:
    """Say whose account it is, for a reader who may have two."""
    family = family_of(row)
    return {"household": contacts.told_apart(family, row.recipient) if family else ""}


def _invitation(_settings: Settings, row: OutboxMail) -> Facts | None:
    invitation = StaffInvitation.get_or_none(StaffInvitation.id == row.object_id)
    if invitation is None:  # erased with age, while its mail could not leave
        return None
    return {"staff": invitation.staff, "until": invitation.expires_at}


_NOTICES = {
    NoticeKind.NEW_INVOICES: "avis",
    NoticeKind.REMINDER: "rappel",
    NoticeKind.RELANCE: "relance",
}
_DECLARED = (
    MailKind("receipt", "reçu", _payer, _receipt, paper=_receipt_paper),
    MailKind("anomaly", "point à traiter", _nobody, _anomaly),
    MailKind("request", "demande d’une famille", _nobody, _request),
    MailKind("request_copy", "copie d’une demande", _asking, _request),
    MailKind("request_answer", "réponse à une demande", _asking, _request),
    MailKind(
        "reset", "nouveau mot de passe", _of_token, _link_to_a_held_address, link=tokens.draw_link
    ),
    MailKind("email_confirm", "adresse à confirmer", _of_token, link=tokens.draw_link),
    MailKind(
        "staff_invitation", "lien d’un agent", _nobody, _invitation, link=invitations.draw_link
    ),
    MailKind("email_asked", "changement d’adresse demandé", Family.get_by_id, _account),
    MailKind("email_changed", "adresse changée", Family.get_by_id, _account),
    MailKind("password_changed", "mot de passe changé", Family.get_by_id, _account),
    MailKind(
        "new_browser", "connexion d’un nouvel appareil", _of_token, _sign_in, link=tokens.draw_link
    ),
    *(MailKind(kind, words, _told, _notice, optional=True) for kind, words in _NOTICES.items()),
)
KINDS: Mapping[str, MailKind] = {kind.template: kind for kind in _DECLARED}
#: Names of the mails that families may stop.
OPTIONAL = frozenset(kind.template for kind in _DECLARED if kind.optional)

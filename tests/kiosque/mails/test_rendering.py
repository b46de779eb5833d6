"""Every mail is declared once and says what the pages say; to render one changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from peewee import ModelDelete

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Family, Guardian, Invoice, OutboxMail, Token
from kiosque.db.states import AnomalyKind, NoticeKind
from kiosque.families import tokens
from kiosque.families.tokens import Purpose
from kiosque.invoices import announcements
from kiosque.language import templates
from kiosque.mails import rendering
from kiosque.mails.rendering import KINDS, RenderedMail
from kiosque.outbox import queue
from kiosque.payments.anomalies import flag_anomaly
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import NOW, Clock, dump

Notice = Callable[[NoticeKind, Invoice], RenderedMail]


def test_every_mail_that_has_a_template_is_declared() -> None:
    folder = templates.TEMPLATES / "mail"
    assert set(KINDS) == {path.stem for path in folder.glob("[a-z]*.txt")}


def test_rendering_a_link_draws_none_and_changes_nothing(
    alices_family: Family, settings: Settings
) -> None:
    Guardian.create(family=alices_family, first_name="", last_name="", email="alice@example.org")
    with write():
        token = tokens.prepare_link(Purpose.RESET, alices_family, "alice@example.org")
        queue.add("reset:1", "reset", token.id, "alice@example.org")
    before = dump()
    mail = rendering.render_mail(settings, OutboxMail.get(), "the-secret-drawn-before")
    assert mail
    assert "/lien/the-secret-drawn-before" in mail.text
    assert dump() == before


def test_a_mail_whose_link_was_erased_is_about_no_family(alices_family: Family) -> None:
    with write():
        token = tokens.prepare_link(Purpose.EMAIL, alices_family, "alice@example.org")
        queue.add("email-confirm:1", "email_confirm", token.id, "alice@example.org")
    assert rendering.family_of(OutboxMail.get()) == alices_family
    ModelDelete(Token).execute()
    assert rendering.family_of(OutboxMail.get()) is None


def test_what_was_dealt_with_before_its_mail_left_is_told_no_more(
    settings: Settings, empty_database: None
) -> None:
    with write():
        flag_anomaly("x", AnomalyKind.MISMATCH, 1000, "essai", regie="")
    row = OutboxMail.get()
    mail = rendering.render_mail(settings, row)
    assert mail
    assert f"{settings.public_url}/mairie/a-traiter/{row.object_id}" in mail.text
    payments.resolve_anomaly(row.object_id, "Dominique", "vu")
    assert rendering.render_mail(settings, row) is None


@pytest.fixture
def notice(settings: Settings) -> Notice:
    """The mail of a notice to Alice about one invoice."""

    def render(kind: NoticeKind, invoice: Invoice) -> RenderedMail:
        family = invoice.family
        Guardian.create(family=family, first_name="", last_name="", email="alice@example.org")
        with write():
            announcements.queue_notice(kind, family, [invoice])
        mail = rendering.render_mail(settings, OutboxMail.get())
        assert mail
        return mail

    return render


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_tells_of_a_payment_that_the_bank_never_answered_as_the_list_does(
    kind: NoticeKind, notice: Notice, pay: Any, october: Invoice, frozen: Clock
) -> None:
    pay(october.family, october)
    frozen.advance(minutes=16)
    mail = notice(kind, october)
    for told in (mail.text, mail.html):
        assert (
            f"commencé le 24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030 {sentences.UNANSWERED}"
            in told
        )
        assert sentences.LOOK_AT_ACCOUNT in told
        assert "enfance@sautron.example.org" in told


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_notice_tells_of_a_bank_that_is_closed_in_the_language_of_the_family(
    language: str, notice: Notice, october: Invoice, frozen: Clock
) -> None:
    Family.update(language=language).execute()
    payments.close_bank("banque", "Le Trésor entretient.", NOW + timedelta(hours=3), "Dominique")
    mail = notice(NoticeKind.RELANCE, Invoice.get())
    ends = {
        "fr": "Il reprendra le 24\u00a0novembre\u00a02026 à 23\u00a0h\u00a030",
        "en": "24\u00a0November\u00a02026",
    }
    for told in (mail.text, mail.html):
        assert "Le Trésor entretient." in told
        assert ends[language] in told
    assert (sentences.UNANSWERED in mail.text) is False


def test_a_notice_says_nothing_of_a_bank_that_is_open_or_another(
    notice: Notice, october: Invoice, frozen: Clock
) -> None:
    payments.close_bank("autre", "Le Trésor entretient.", NOW + timedelta(hours=3), "Dominique")
    assert "Trésor" not in notice(NoticeKind.REMINDER, october).text

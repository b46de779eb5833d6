"""Every mail is declared once; to render one changes nothing."""

from peewee import ModelDelete

from kiosque.db import write
from kiosque.db.models import Family, Guardian, OutboxMail, Token
from kiosque.families import tokens
from kiosque.families.tokens import Purpose
from kiosque.language import templates
from kiosque.mails import rendering
from kiosque.mails.rendering import KINDS
from kiosque.outbox import queue
from kiosque.settings import Settings
from tests.conftest import dump


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

"""Played by test_upgrade.py, in a folder where the templates are a copy that may be spoilt."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import payments, resources
from kiosque.db import write
from kiosque.db.models import Anomaly, Family, FamilyRequest, Invoice, OutboxMail
from kiosque.db.states import NoticeKind, RequestTopic
from kiosque.families import answers, own_changes, requests, tokens
from kiosque.families.tokens import Purpose
from kiosque.invoices import announcements
from kiosque.language import clock
from kiosque.mails import rendering
from kiosque.outbox import queue
from kiosque.papers import activation_letters
from kiosque.papers.activation_letters import Letter
from kiosque.settings import Settings
from kiosque.staff import accounts, events, invitations
from tests import pdfs
from tests.conftest import SignIn
from tests.stage import PAGES, Stage


@pytest.fixture
def upgraded(app: Flask) -> Iterator[None]:
    """The site runs; then every template is another, that it cannot read."""
    files = [path for path in resources.find("templates").rglob("*") if path.is_file()]
    kept = {path: path.read_bytes() for path in files}
    assert len(kept) > 50
    for path in kept:
        path.write_text('{% extends "nowhere" %}{{ nothing|unknown }}#let = )')
    yield
    for path, content in kept.items():
        path.write_bytes(content)


def test_every_page_and_paper_is_still_answered(
    upgraded: None, stage: Stage, sign_in: SignIn, alices_family: Family
) -> None:
    seen = set()
    for endpoint in PAGES:
        page, address = stage.page(endpoint), stage.address(endpoint)
        for client in (stage.app.test_client(), sign_in(alices_family)):
            for method in {"GET", page.method}:
                answer = client.open(
                    address, method=method, data=page.form, query_string=page.query
                )
                assert answer.status_code < 500, (endpoint, answer.text)
                seen.add((endpoint, answer.status_code, answer.mimetype))
    assert {
        ("papers.receipt", 200, "application/pdf"),
        ("papers.yearly", 200, "application/pdf"),
        ("family.invoices", 200, "text/html"),
        ("site.privacy", 200, "text/html"),
        ("bank_return.show", 200, "text/html"),
    } <= seen


def test_the_letters_of_activation_codes_are_still_written(
    upgraded: None, settings: Settings
) -> None:
    letter = Letter("Famille Martin", (), "F1001", "abcde", clock.today(), "kiosque.example.org")
    assert not pdfs.faults(activation_letters.letters(settings, [letter]))


def test_every_mail_is_still_written(
    upgraded: None, settings: Settings, stage: Stage, alices_family: Family, alice: FlaskClient
) -> None:
    Family.update(email="alice@example.org").execute()
    family = Family.get_by_id(alices_family.id)
    own_changes.ask_email(family, "new@example.org", "")
    requests.ask(family, RequestTopic.PRICE, "x", settings.town, Invoice.get())
    answers.refuse(FamilyRequest.get(topic=RequestTopic.PRICE), "marie@example.org", "non")
    with write():
        for kind in NoticeKind:
            open_invoices = list(Invoice.select().where(payments.payable_now()))
            announcements.queue_notice(kind, family, open_invoices)
        link = tokens.prepare_link(Purpose.RESET, family, family.email)
        answer = tokens.prepare_link(Purpose.NOT_ME, family, family.email)
        anomaly = Anomaly.create(
            key="1", kind="overpayment", noted_at=clock.now(), amount_cents=1, detail=""
        )
        invitations.send(accounts.obtain("agent@example.org"), events.TERMINAL)
        for template, about in (
            ("reset", link.id), ("new_browser", answer.id), ("receipt", 1), ("anomaly", anomaly.id),
            ("password_changed", family.id), ("email_changed", family.id),
        ):  # fmt: skip
            queue.add(f"{template}:1", template, about, family.email)
    written = {row.template for row in OutboxMail.select() if rendering.render_mail(settings, row)}
    assert written == set(rendering.KINDS)

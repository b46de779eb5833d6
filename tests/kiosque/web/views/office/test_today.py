"""The first page of the town hall's area tells the month in figures, and how the site is."""

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db import leases
from kiosque.db.models import Invoice
from kiosque.mails import delivery
from kiosque.payments import reconcile
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent
from tests.bank import notice
from tests.conftest import ISSUERS, Clock


@pytest.fixture
def page(
    app: Flask, frozen: Clock, gateway: Gateway, october: Invoice, september: Invoice,
    pay: Callable[..., tuple],
) -> str:  # fmt: skip
    """October is paid online; September, past due, is not."""
    for chore in (reconcile.LEASE, delivery.LEASE):
        leases.note_done(chore)
    frozen.advance(minutes=2)
    _attempt, handoff = pay(october.family, october)
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    payments.record(gateway.name, report, ISSUERS)
    return enter(app, make_agent(Role.REGISSEUR)).get("/mairie").text


def words(page: str) -> str:
    """Return what a page says, without its marks."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


def table(page: str, caption: str) -> str:
    """Return what the rows of the table of this caption say."""
    found = re.search(rf"(?s)<caption[^>]*>{caption}</caption>.*?<tbody>(.*?)</tbody>", page)
    assert found, caption
    return words(found[1])


def test_what_came_this_month_is_told_by_mode_and_by_service(page: str) -> None:
    assert "Encaissé en novembre 2026 : 45,20 €" in words(page)
    assert table(page, "Par moyen de paiement") == "Par carte, en ligne 45,20 €"
    assert table(page, "Par prestation") == "Restauration scolaire 45,20 €"


def test_what_is_unpaid_is_told_by_age(page: str) -> None:
    told = words(page)
    assert "À régler par les familles : 42,25 €" in told
    assert "En retard de 30 jours au plus 42,25 €" in told
    assert "Pas encore échu" not in told
    assert "jours 45,20" not in told


def test_each_bar_of_the_chart_has_its_row_in_the_table(page: str) -> None:
    assert page.count("<rect") == 1
    bar = re.search(r"(?s)<rect[^>]*><title>(.*?)</title>", page)
    assert bar
    assert words(bar[1]) == "24 novembre 2026 : 45,20 €"
    assert table(page, "Encaissé par jour en novembre 2026") == "24 novembre 2026 45,20 €"


def test_the_banks_and_the_timers_are_told_in_words(page: str) -> None:
    told = words(page).partition("Le site")[2]
    assert "Rien à signaler." in told
    assert "Banques interrogées 24 novembre 2026 à 20 h 30" in told
    assert "Courriels envoyés 24 novembre 2026 à 20 h 30" in told
    assert "Comptes vérifiés jamais" in told
    assert "Dernière réponse de chaque banque banque 24 novembre 2026 à 20 h 32" in told

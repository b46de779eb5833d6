"""The month of a *régie* is closed in the browser, once for all, by its régisseur alone."""

import io
import re
import zipfile
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from kiosque import deposits
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    Family,
    Invoice,
    KeptBack,
    MonthClosing,
    Revenue,
    Statement,
    StatementFile,
)
from kiosque.deposits import Imputed
from kiosque.language import clock
from kiosque.papers.deposits import bordereau
from kiosque.payments import journal
from kiosque.settings import Settings
from kiosque.staff.roles import Role
from tests import fresh_databases, sentences
from tests.agents import enter, make_agent, send
from tests.conftest import NOW, Clock, csrf_token, make_invoice
from tests.kiosque.payments.conftest import Pay, at_counter, bank, gateways, go  # noqa: F401
from tests.talkative import TalkativeBank

MONTH = "/mairie/mois/2026-11"


@pytest.fixture
def december(app: Flask, alices_family: object, frozen: Clock) -> None:
    """Alice paid in cash in November; nothing was to be on a statement."""
    at_counter(make_invoice(alices_family, "A"))
    with write():
        for revenue in Revenue.select():
            KeptBack.create(revenue=revenue, noted_at=clock.now(), author="D", reason="essai")
        file = StatementFile.create(
            sha256="0", name="releve", kind="csv", loaded_at=NOW, author="Dominique"
        )
        Statement.create(
            file=file, regie="", opened_on=date(2026, 10, 31), opening_cents=0,
            closed_on=date(2026, 11, 30), closing_cents=0,
        )  # fmt: skip
    frozen.at = datetime(2026, 12, 3, 9, tzinfo=UTC)


def test_the_menu_leads_to_the_month_to_close(app: Flask, december: None) -> None:
    client = enter(app, make_agent(Role.REGISSEUR))
    assert client.get("/mairie/mois").location == MONTH


def test_a_month_is_closed_once_read_and_gives_its_papers(app: Flask, december: None) -> None:
    client = enter(app, make_agent(Role.REGISSEUR))
    assert send(client, f"{MONTH}/arreter").status_code == 422
    assert MonthClosing.select().count() == 0
    assert send(client, f"{MONTH}/arreter", seen="y").location == MONTH
    assert MonthClosing.get().month == "2026-11"
    assert client.get(f"{MONTH}/arreter").location == MONTH
    papers = client.get(f"{MONTH}/papiers.zip")
    names = zipfile.ZipFile(io.BytesIO(papers.data)).namelist()
    assert names == ["journal.pdf", "rapprochement.pdf", "impayes.pdf"]


def test_no_paper_of_a_month_is_given_with_another_bordereau_than_its_own(
    app: Flask, december: None, settings: Settings
) -> None:
    KeptBack.update(ended_at=clock.now()).execute()
    deposits.set_imputation("", "Restauration scolaire", Imputed("70632", "", ""), "Dominique")
    found = deposits.draft("", journal.last()[0])
    deposits.finalize(settings, "", found.up_to, "Dominique", found.fingerprint, bordereau)
    client = enter(app, make_agent(Role.REGISSEUR))
    assert send(client, f"{MONTH}/arreter", seen="y").location == MONTH
    assert client.get(f"{MONTH}/papiers.zip").mimetype == "application/zip"
    fresh_databases.damage("UPDATE deposit SET pdf = 'JVBERi0='")
    assert client.get(f"{MONTH}/papiers.zip").location == MONTH
    assert sentences.NOT_ITS_PAPER in client.get(MONTH).text


def test_a_month_that_is_not_proven_is_not_closed(app: Flask, december: None) -> None:
    KeptBack.update(ended_at=clock.now()).execute()
    client = enter(app, make_agent(Role.REGISSEUR))
    assert send(client, f"{MONTH}/arreter", seen="y").status_code == 422
    assert MonthClosing.select().count() == 0


def test_a_point_is_carried_over_by_the_regisseur(app: Flask, december: None) -> None:
    point = Anomaly.create(key="x", kind="silent", noted_at=NOW, amount_cents=0, detail="essai")
    client = enter(app, make_agent(Role.REGISSEUR))
    page = f"{MONTH}/reporter/{point.id}"
    assert send(client, page, reason="la banque cherche", seen="y").location == MONTH
    assert client.get(page).location == MONTH
    again = {"csrf_token": csrf_token(client.get(MONTH).text), "reason": "encore", "seen": "y"}
    headers = {"Referer": f"http://localhost{page}"}
    assert client.post(page, data=again, headers=headers).location == MONTH
    assert client.get(f"{MONTH}/reporter/{point.id + 1}").status_code == 404
    assert send(client, f"{MONTH}/arreter", seen="y").location == MONTH


def test_control_reads_the_month_and_changes_nothing(app: Flask, december: None) -> None:
    client = enter(app, make_agent(Role.CONTROLE))
    assert client.get(MONTH).status_code == 200
    assert client.get(f"{MONTH}/arreter").status_code == 403
    assert client.get(f"{MONTH}/papiers.zip").location == MONTH


def test_a_regie_of_others_is_closed_to_an_agent(app: Flask, december: None) -> None:
    client = enter(app, make_agent(Role.REGISSEUR))
    assert client.get(f"{MONTH}?regie=creche").status_code == 403


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "x", "0000-01", "9999-12", "2026-11-01"])
def test_what_is_no_month_is_not_found(
    app: Flask, empty_database: None, frozen: Clock, name: str
) -> None:
    client = enter(app, make_agent(Role.REGISSEUR))
    assert client.get(f"/mairie/mois/{name}").status_code == 404


def test_a_closed_month_leads_to_the_comptables_answer(
    app: Flask, december: None, settings: Settings
) -> None:
    KeptBack.update(ended_at=clock.now()).execute()
    deposits.set_imputation("", "Restauration scolaire", Imputed("70632"), "Dominique")
    draft = deposits.draft("", journal.last()[0])
    asked = (settings, "", draft.up_to, "Dominique", draft.fingerprint)
    made = deposits.finalize(*asked, bordereau)
    client = enter(app, make_agent(Role.REGISSEUR))
    assert send(client, f"{MONTH}/arreter", seen="y").location == MONTH
    answer = f"/mairie/bordereaux/{made.id}/reponse"
    assert answer in client.get(MONTH).text
    assert send(client, answer, on="2026-12-03", reference="P503 12").status_code == 302
    assert "P503 12" in client.get(MONTH).text
    assert answer not in client.get(MONTH).text


def test_payments_that_the_bank_has_not_decided_are_named(
    app: Flask,
    alices_family: Family,
    go: Pay,  # noqa: F811
    frozen: Clock,
) -> None:
    attempt, _handoff = go(make_invoice(alices_family, "2026-11-0007"))
    page = enter(app, make_agent(Role.REGISSEUR)).get(MONTH).text
    assert attempt.reference in page
    assert "/mairie/factures/2026-11-0007" in page


def test_the_bank_is_asked_about_a_payment_from_the_page_of_the_month(
    app: Flask,
    alices_family: Family,
    go: Pay,  # noqa: F811
    bank: TalkativeBank,  # noqa: F811
) -> None:
    attempt, handoff = go(invoice := make_invoice(alices_family, "2026-11-0007"))
    app.extensions["gateways"]["banque"] = bank
    bank.answers = [[], [bank.report(handoff)]]
    client, ask = enter(app, make_agent(Role.REGISSEUR)), f"{MONTH}/interroger/{attempt.reference}"
    assert f'action="{ask}"' in client.get(MONTH).text
    assert send(client, MONTH, ask).location == MONTH
    assert len(bank.asked) == 1
    assert Invoice.get_by_id(invoice.id).paid_cents == 0
    Attempt.update(asked_at=None).execute()  # some seconds later
    assert send(client, MONTH, ask).location == MONTH
    assert Invoice.get_by_id(invoice.id).paid_cents == invoice.total_cents
    assert ask not in client.get(MONTH).text
    assert client.post(ask, data={"csrf_token": "x"}).status_code == 400


def test_the_payment_of_another_regie_or_unknown_is_not_asked_about(
    app: Flask,
    alices_family: Family,
    go: Pay,  # noqa: F811
    bank: TalkativeBank,  # noqa: F811
) -> None:
    attempt, _handoff = go(make_invoice(alices_family, "2026-11-0007"))
    app.extensions["gateways"]["banque"] = bank
    Attempt.update(regie="creche").execute()
    client = enter(app, make_agent(Role.REGISSEUR))
    assert send(client, MONTH, f"{MONTH}/interroger/{attempt.reference}").status_code == 404
    assert send(client, MONTH, f"{MONTH}/interroger/KF{'f' * 18}").status_code == 404
    reader = enter(app, make_agent(Role.CONTROLE))
    assert send(reader, MONTH, f"{MONTH}/interroger/{attempt.reference}").status_code == 403
    assert bank.asked == []


def test_a_step_is_proven_or_bears_the_button_that_mends_it(app: Flask, december: None) -> None:
    KeptBack.update(ended_at=clock.now()).execute()
    page = enter(app, make_agent(Role.REGISSEUR)).get(MONTH).text
    steps = re.findall(r'<li class="(done|to-do)">(.*?)</li>', page)
    assert len(steps) == 6
    told = {
        (kind, "✓" in step, "à faire" in step, 'class="button outline"' in step)
        for kind, step in steps
    }
    assert told == {("done", True, False, False), ("to-do", False, True, True)}

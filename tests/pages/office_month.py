"""The town hall's area: the month of a *régie*."""

from datetime import date

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Statement,
    StatementFile,
    StatementLine,
)
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import NOW
from tests.pages.stage import LONG_NAME, LONG_WORD, Stage, scene

MONTH = "/mairie/mois/2026-11"


def regisseur(stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(Role.REGISSEUR))


def collected(stage: Stage) -> None:
    family = stage.family(LONG_NAME)
    stage.paid(family, stage.invoice(family))


def told_by_the_bank(*cents: int) -> None:
    """A statement of November, whose lines nothing explains."""
    with write():
        number = StatementFile.select().count()
        file = StatementFile.create(
            sha256=str(number), name="releve", kind="csv", loaded_at=NOW, author="Dominique"
        )
        statement = Statement.create(
            file=file, regie="", opened_on=date(2026, 10, 31), opening_cents=0,
            closed_on=date(2026, 11, 30), closing_cents=sum(cents),
        )  # fmt: skip
        for place, each in enumerate(cents, 1):
            StatementLine.create(
                statement=statement, regie="", booked_on=date(2026, 11, 20), amount_cents=each,
                label=f"VIREMENT {number} {LONG_WORD}", reference="", occurrence=place,
            )  # fmt: skip


def a_point() -> Anomaly:
    found: Anomaly = Anomaly.create(
        key=f"mois {Anomaly.select().count()}", kind="silent", noted_at=NOW, amount_cents=4520,
        detail=f"la banque ne répond pas de {LONG_WORD}",
    )  # fmt: skip
    return found


@scene
def a_month_with_all_to_do(stage: Stage) -> TestResponse:
    collected(stage)
    a_point()
    return regisseur(stage).get(MONTH)


@scene
def a_month_that_has_ended(stage: Stage) -> TestResponse:
    collected(stage)
    return regisseur(stage).get("/mairie/mois/2026-10")


@scene
def a_month_with_a_payment_that_the_bank_has_not_decided(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    stage.open_payment(family, stage.invoice(family))
    return regisseur(stage).get(MONTH)


@scene
def a_month_read_by_control(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.CONTROLE)).get(MONTH)


@scene
def a_month_whose_books_and_statement_differ(stage: Stage) -> TestResponse:
    collected(stage)
    told_by_the_bank(1240, 999999999)
    return regisseur(stage).get(MONTH)


@scene
def a_point_to_carry_over(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{MONTH}/reporter/{a_point().id}")


@scene
def a_point_carried_over_without_a_reason(stage: Stage) -> TestResponse:
    return send(regisseur(stage), f"{MONTH}/reporter/{a_point().id}", reason="")


@scene
def a_month_to_close(stage: Stage) -> TestResponse:
    told_by_the_bank(1240)
    return regisseur(stage).get(f"{MONTH}/arreter")


@scene
def a_month_that_cannot_be_closed(stage: Stage) -> TestResponse:
    collected(stage)
    return send(regisseur(stage), f"{MONTH}/arreter", seen="y", reason="")


@scene
def a_month_closed(stage: Stage) -> TestResponse:
    """Nothing of it is left to prove, but for the statement."""
    client = regisseur(stage)
    send(client, "/mairie/mois/2026-09/arreter", seen="y", reason="pas de relevé ce mois-là")
    return client.get("/mairie/mois/2026-09")

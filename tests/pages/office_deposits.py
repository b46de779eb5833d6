"""The town hall's area: what is paid over to the *comptable*. Each scene goes on from the last."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import deposits, payments
from kiosque.db import write
from kiosque.db.models import Deposit, Service, Settlement
from kiosque.deposits import Imputed
from kiosque.language import clock
from kiosque.staff.roles import Role
from tests.agents import confirm, enter, make_agent, send, shown
from tests.pages.office_money import CHEQUE, long_invoice, paid_online, regisseur
from tests.pages.stage import LONG_WORD, Stage, scene

PAGE, FINAL = "/mairie/bordereaux", "/mairie/bordereaux/definitif"
IMPUTATIONS = "/mairie/reglages/imputations"


def _imputed() -> None:
    for gap in deposits.unsaid(""):  # other scenes put the database back
        deposits.say_last("", gap.year, gap.first - 1, LONG_WORD)
    for each in Service.select():
        if each.id not in deposits.imputations(""):
            deposits.set_imputation("", each.name, Imputed("7" * 20, "2" * 20, "A" * 20), LONG_WORD)


def _settlement(stage: Stage) -> Settlement:
    return paid_online(stage)


def _seen(client: FlaskClient) -> dict[str, str]:
    return shown(client.get(FINAL).text)


@scene
def money_to_pay_over_without_its_imputation(stage: Stage) -> TestResponse:
    _settlement(stage)
    return regisseur(stage).get(PAGE)


@scene
def a_deposit_that_lacks_an_imputation(stage: Stage) -> TestResponse:
    return regisseur(stage).get(FINAL)


@scene
def services_without_imputation(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.ADMINISTRATION)).get(IMPUTATIONS)


@scene
def an_imputation_badly_typed(stage: Stage) -> TestResponse:
    typed = {"service": "x", "article": "", "since": "hier", "fonction": "9" * 30}
    return send(regisseur(stage), IMPUTATIONS, **typed)


@scene
def services_with_their_imputations(stage: Stage) -> TestResponse:
    _imputed()
    return enter(stage.app, make_agent(Role.ADMINISTRATION)).get(IMPUTATIONS)


@scene
def money_kept_back_is_told_before_it_is(stage: Stage) -> TestResponse:
    page = f"/mairie/encaissements/{_settlement(stage).id}/garder"
    return send(regisseur(stage), page, reason=LONG_WORD)


@scene
def money_to_pay_over_some_kept_back(stage: Stage) -> TestResponse:
    client, kept = regisseur(stage), _settlement(stage)
    confirm(client, f"/mairie/encaissements/{kept.id}/garder", reason=LONG_WORD)
    invoice = long_invoice(stage)
    confirm(client, f"/mairie/factures/{invoice.number}/encaisser", amount="20", **CHEQUE)
    return client.get(PAGE)


@scene
def a_deposit_to_check(stage: Stage) -> TestResponse:
    return regisseur(stage).get(FINAL)


@scene
def a_deposit_made_final_without_checking(stage: Stage) -> TestResponse:
    client = regisseur(stage)
    return send(client, FINAL, **_seen(client))


@scene
def a_deposit_that_is_another_now(stage: Stage) -> TestResponse:
    client = regisseur(stage)
    return send(client, FINAL, **{**_seen(client), "fingerprint": "x"}, seen="y")


@scene
def deposits_made_final(stage: Stage) -> TestResponse:
    client = regisseur(stage)
    assert send(client, FINAL, **_seen(client), seen="y").location == PAGE
    return client.get(PAGE)


@scene
def nothing_to_make_final(stage: Stage) -> TestResponse:
    return regisseur(stage).get(FINAL)


@scene
def an_answer_badly_typed(stage: Stage) -> TestResponse:
    page = f"{PAGE}/{Deposit.get().id}/reponse"
    return send(regisseur(stage), page, on="hier", reference="")


@scene
def deposits_read_by_control_once_answered(stage: Stage) -> TestResponse:
    page = f"{PAGE}/{Deposit.get().id}/reponse"
    on = stage.clock.at.date().isoformat()
    assert send(regisseur(stage), page, on=on, reference="P503 12").location == PAGE
    return enter(stage.app, make_agent(Role.CONTROLE)).get(PAGE)


@scene
def money_taken_up_again(stage: Stage) -> TestResponse:
    kept = deposits.kept_back("")[0].line.settlement
    return regisseur(stage).get(f"/mairie/encaissements/{kept}/reprendre")


def _put_back(stage: Stage) -> int:
    """The number of the question that a restoration asks."""
    with write():
        settings = stage.app.extensions["settings"]
        payments.note_restoration(settings, clock.now(), {})
    return deposits.unsaid("")[-1].id


@scene
def deposits_that_a_restoration_may_have_lost(stage: Stage) -> TestResponse:
    _put_back(stage)
    return regisseur(stage).get(PAGE)


@scene
def the_last_deposit_badly_typed(stage: Stage) -> TestResponse:
    return send(regisseur(stage), f"{PAGE}/reprendre/{_put_back(stage)}", last="x")


@scene
def the_last_deposit_to_say(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAGE}/reprendre/{_put_back(stage)}")


@scene
def deposits_that_a_restoration_lost(stage: Stage) -> TestResponse:
    page = f"{PAGE}/reprendre/{_put_back(stage)}"
    assert send(regisseur(stage), page, last="20", seen="y").location == PAGE
    return regisseur(stage).get(PAGE)

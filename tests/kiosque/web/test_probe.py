"""A message of ours to our own site: it proves, shows, changes nothing, and opens no door."""

import re

import pytest
from flask.testing import FlaskClient

from kiosque.db.models import BankMessage, Family, Invoice
from kiosque.settings import Settings
from kiosque.web import probe
from tests.bank import notice
from tests.conftest import Clock, dump

NOTIFY = "/paiement/notification/banque"
DOOR = probe.notices_of("banque")
OTHER = "another secret of the same length 0123456789"


def test_the_way_of_a_notice_is_walked_without_leaving_a_row(
    stranger: FlaskClient, settings: Settings
) -> None:
    before, token = dump(), probe.token(settings.secret_key, DOOR)
    answer = stranger.post(NOTIFY, data={"essai": "é+ &", probe.FIELD: token})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    refusal, _, proof = answer.text.partition("\n")
    assert refusal == "KO essai"
    seen = probe.read_answer(settings.secret_key, token, proof)
    assert seen == {"address": "127.0.0.1", "forwarded": "none", "scheme": "http"}
    assert dump() == before
    assert settings.secret_key not in answer.text


def forgeries(secret_key: str, frozen: Clock) -> dict[str, str]:
    good = probe.token(secret_key, DOOR)
    stamp, nonce, seal = good.split(".")
    frozen.advance(seconds=-probe.LIFE_SECONDS - 1)
    old = probe.token(secret_key, DOOR)
    frozen.advance(seconds=2 * probe.LIFE_SECONDS + 2)
    future = probe.token(secret_key, DOOR)
    frozen.advance(seconds=-probe.LIFE_SECONDS - 1)
    return {
        "of another town": probe.token(OTHER, DOOR),
        "for another door": probe.token(secret_key, probe.HEALTH),
        "for another bank": probe.token(secret_key, probe.notices_of("tresor")),
        "old": old,
        "of the future": future,
        "of another moment": f"{int(stamp) + 1}.{nonce}.{seal}",
        "of another number": f"{stamp}.{nonce[::-1]}.{seal}",
        "cut": good[:-1],
        "longer": good + "0",
        "accents": "é" * 64,
        "endless": "9" * 5000,
        "empty": "",
    }


@pytest.mark.parametrize("kind", sorted(forgeries("x" * 32, Clock(probe.clock.now()))))
def test_any_other_token_takes_the_usual_way_and_leaves_the_usual_row(
    stranger: FlaskClient, settings: Settings, frozen: Clock, kind: str
) -> None:
    token = forgeries(settings.secret_key, frozen)[kind]
    answer = stranger.post(NOTIFY, data={probe.FIELD: token})
    assert (answer.status_code, BankMessage.select().count()) == (400, 1)
    assert answer.text == "KO boutique ou mode inattendu"
    health = stranger.get("/sante", headers={probe.HEADER: token.encode().decode("latin-1")})
    assert (probe.HEADER in health.headers) == (kind == "for another door")


def test_two_tokens_are_none(stranger: FlaskClient, settings: Settings) -> None:
    tokens = [probe.token(settings.secret_key, DOOR) for _ in range(2)]
    assert stranger.post(NOTIFY, data={probe.FIELD: tokens}).status_code == 400
    assert BankMessage.select().count() == 1


def test_a_genuine_notice_that_carries_a_token_is_refused_so_that_the_bank_sends_it_again(
    stranger: FlaskClient, settings: Settings, pay: object, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)  # type: ignore[operator]
    genuine = notice(handoff)
    token = probe.token(settings.secret_key, DOOR)
    assert stranger.post(NOTIFY, data={**genuine, probe.FIELD: token}).status_code == 400
    assert Invoice.get().state == "open"
    assert stranger.post(NOTIFY, data=genuine).status_code == 200
    assert Invoice.get().state == "paid"


def test_an_unknown_bank_is_unknown_to_a_token_too(
    stranger: FlaskClient, settings: Settings
) -> None:
    token = probe.token(settings.secret_key, probe.notices_of("autre"))
    answer = stranger.post("/paiement/notification/autre", data={probe.FIELD: token})
    assert answer.status_code == 404


def test_the_health_page_proves_which_site_it_is_to_its_own_town_only(
    stranger: FlaskClient, settings: Settings
) -> None:
    token = probe.token(settings.secret_key, probe.HEALTH)
    answer = stranger.get("/sante", headers={probe.HEADER: token, "X-Forwarded-For": "192.0.2.1"})
    proof = answer.headers[probe.HEADER]
    seen = probe.read_answer(settings.secret_key, token, proof)
    assert seen == {"address": "127.0.0.1", "forwarded": "ignored", "scheme": "http"}
    assert probe.read_answer(OTHER, token, proof) is None
    other = probe.token(settings.secret_key, probe.HEALTH)
    assert probe.read_answer(settings.secret_key, other, proof) is None
    changed = re.sub("address=127", "address=128", proof)
    assert probe.read_answer(settings.secret_key, token, changed) is None
    assert probe.HEADER not in stranger.get("/sante").headers

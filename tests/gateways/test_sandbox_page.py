"""The mock bank's page shows what the form asks: language, cards, theme, and the way back."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from gateways.base import BadCallback, Callback, Gateway
from gateways.lyra import sign
from gateways.sandbox import words
from tests import sentences
from tests.bank import KEY
from tests.gateways.test_sandbox import ACCEPTED, REFUSED, bank, form, gateway, posted, resigned

__all__ = ["bank", "form", "gateway", "posted"]  # its stage is ours

MASTERCARD, E_CARD = "5970100300000018", "4973010000000004"
BACK = "http://127.0.0.1:8000/paiement/retour/KF0123456789abcdef01"
Open = Callable[..., str]


@pytest.fixture
def opened(bank: FlaskClient, form: dict[str, str]) -> Open:
    """The address of the page that a form opens."""

    def go(**changes: str | None) -> str:
        return str(bank.post("/vads-payment/", data=resigned(form, **changes)).location)

    return go


def spoken(page: str) -> str:
    return re.search('<html lang="([^"]*)"', page)[1]


# --- Language ---


@pytest.mark.parametrize(
    ("asked", "preferred", "language"),
    [
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("de", "fr", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.5", "fr"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "de", "fr"),
        ("", "", "fr"),
    ],
)
def test_the_page_speaks_the_forms_language_or_else_the_browsers(
    bank: FlaskClient, opened: Open, asked: str | None, preferred: str, language: str
) -> None:
    page = bank.get(opened(language=asked), headers={"Accept-Language": preferred}).text
    assert spoken(page) == language
    assert ("Payment by card" in page) == (language == "en")
    assert ("€87.45" in page) == (language == "en")


def french_left(page: str) -> list[str]:
    """The French of ours that a page still says, but for the details the town sent."""
    text = re.sub("<dd>.*?</dd>", "", page)
    return [said for said in words._ENGLISH if re.search(rf">\s*{re.escape(said)}\s*<", text)
            and said != words._ENGLISH[said]]  # fmt: skip


def test_whoever_reads_english_reads_no_french_all_the_way(
    bank: FlaskClient, form: dict[str, str], opened: Open, posted: object
) -> None:
    address = opened(language="en", redirect_success_timeout="9")
    pages = [
        bank.get(address).text,
        bank.post(f"{address}/carte", data={"card": "1"}).text,
        bank.post(f"{address}/carte", data={"card": REFUSED}).text,
        bank.post(f"{address}/carte", data={"card": ACCEPTED}).text,
        bank.get(address).text,
        bank.post("/vads-payment/", data=resigned(form, language="en", amount="0")).text,
    ]
    for page in pages:
        assert spoken(page) == "en"
        assert french_left(page) == []
        assert "&amp;nbsp" not in page
    french = bank.get(opened(trans_id="000777")).text
    assert len(french_left(french)) > 10, "the search finds what it should"


# --- Cards ---


def test_only_the_cards_the_form_offers_are_shown_and_taken(
    bank: FlaskClient, opened: Open, posted: list[dict[str, str]]
) -> None:
    address = opened(payment_cards="MASTERCARD;E-CARTEBLEUE")
    page = bank.get(address).text
    assert f"{sentences.CARDS_TAKEN}\u00a0: Mastercard, e-Carte Bleue" in page
    assert re.findall(r'data-card="(\d+)"', page) == [MASTERCARD, E_CARD]
    answer = bank.post(f"{address}/carte", data={"card": ACCEPTED})
    assert answer.status_code == 422
    assert sentences.CARD_NOT_TAKEN in answer.text
    assert posted == []


@pytest.mark.parametrize(
    ("offered", "card", "brand"),
    [
        (None, ACCEPTED, "CB"),
        ("VISA", ACCEPTED, "VISA"),
        ("VISA;CB", ACCEPTED, "CB"),
        ("MASTERCARD", MASTERCARD, "MASTERCARD"),
        (None, MASTERCARD, "CB"),
        ("E-CARTEBLEUE", E_CARD, "E-CARTEBLEUE"),
    ],
)
def test_the_notice_names_the_network_by_which_it_was_paid(
    bank: FlaskClient,
    opened: Open,
    posted: list[dict[str, str]],
    gateway: Gateway,
    offered: str | None,
    card: str,
    brand: str,
) -> None:
    bank.post(f"{opened(payment_cards=offered)}/carte", data={"card": card})
    report = gateway.read_notification(Callback.of_form(posted[0].items()))
    assert (report.card_brand, report.card_last4) == (brand, card[-4:])


# --- Theme ---


def test_the_theme_changes_the_words_and_the_display(
    bank: FlaskClient, opened: Open, posted: object
) -> None:
    theme = (
        "SUCCESS_FOOTER_MSG_RETURN=Kiosque;CANCEL_FOOTER_MSG_RETURN=Renoncer;"
        "SITE_ID_LABEL=Régie;SECURE_MESSAGE=Sûre"
    )
    address = opened(theme_config=theme, redirect_success_timeout=None)
    page = bank.get(address).text
    assert ">Renoncer<" in page
    assert "<dt>Régie</dt>" in page
    assert "<span>Sûre</span>" in page
    done = bank.post(f"{address}/carte", data={"card": ACCEPTED}).text
    assert ">Kiosque<" in done
    simple = bank.get(opened(trans_id="000778", theme_config="SIMPLIFIED_DISPLAY=true")).text
    assert 'class="brand"' in page
    assert 'class="brand"' not in simple
    assert sentences.NO_MONEY_MOVES in simple


# --- The way back ---


def back(address: str) -> dict[str, str]:
    """Return the fields in an address of return, once their signature is verified."""
    assert address.startswith(f"{BACK}?")
    fields = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True, strict_parsing=True))
    assert fields["signature"] == sign(fields, KEY.encode())
    return fields


def test_by_default_the_way_back_carries_nothing(
    bank: FlaskClient, opened: Open, posted: object
) -> None:
    assert bank.post(f"{opened()}/carte", data={"card": ACCEPTED}).location == BACK
    for number, mode in (("000781", "NONE"), ("000782", ""), ("000783", None)):
        address = opened(trans_id=number, return_mode=mode)
        assert bank.post(f"{address}/abandon").location == BACK


def test_by_get_the_way_back_carries_the_notice_but_for_its_stamp_and_source(
    bank: FlaskClient, opened: Open, posted: list[dict[str, str]], gateway: Any
) -> None:
    answer = bank.post(f"{opened(return_mode='GET')}/carte", data={"card": ACCEPTED})
    fields = back(answer.location)
    assert set(posted[0]) - set(fields) == {"vads_hash", "vads_url_check_src"}
    shared = fields.keys() - {"signature"}
    assert {name: fields[name] for name in shared} == {name: posted[0][name] for name in shared}
    gateway.read_notification(Callback.of_form(posted[0].items()))
    with pytest.raises(BadCallback, match="vads_hash absent"):
        gateway.read_notification(Callback.of_form(fields.items()))
    assert len(answer.location) < 4094, "the longest line of a request that servers take"


@pytest.mark.parametrize(("end", "status"), [("abandon", "ABANDONED"), ("expiration", "ABANDONED")])
def test_by_get_whoever_leaves_brings_it_back_too(
    bank: FlaskClient, opened: Open, posted: object, end: str, status: str
) -> None:
    address = opened(return_mode="GET")
    assert back(bank.post(f"{address}/{end}").location)["vads_trans_status"] == status
    assert bank.post(f"{address}/{end}").location == BACK, "it is told once"


def test_by_get_whose_card_was_refused_brings_the_refusal_back(
    bank: FlaskClient, opened: Open, posted: object
) -> None:
    address = opened(return_mode="GET")
    page = bank.post(f"{address}/carte", data={"card": REFUSED}).text
    assert f">{sentences.BACK_TO_SITE}<" in page
    assert back(bank.post(f"{address}/abandon").location)["vads_trans_status"] == "REFUSED"


def test_by_get_the_way_back_is_signed_with_the_key_in_force(
    bank: FlaskClient, opened: Open, posted: object
) -> None:
    """One changed while the payer was on the page, as its notice is."""
    address, mock = opened(return_mode="GET"), bank.application.extensions["bank"]
    mock.change_key()
    query = urlsplit(bank.post(f"{address}/carte", data={"card": ACCEPTED}).location).query
    fields = dict(parse_qsl(query, keep_blank_values=True))
    assert fields["signature"] == sign(fields, mock.key()) != sign(fields, KEY.encode())


@pytest.mark.parametrize(
    ("seconds", "waits"), [("9", 'data-follow-after="9"'), (None, ""), ("", "")]
)
@pytest.mark.parametrize("mode", ["NONE", "GET"])
def test_whoever_has_paid_is_sent_back_after_a_while_or_by_a_link(
    bank: FlaskClient, opened: Open, posted: object, seconds: str | None, waits: str, mode: str
) -> None:
    address = opened(return_mode=mode, redirect_success_timeout=seconds)
    answer = bank.post(f"{address}/carte", data={"card": ACCEPTED})
    assert answer.status_code == 200
    link = re.search(
        rf'<a class="main" href="([^"]+)"([^>]*)>{sentences.BACK_TO_SITE}', answer.text
    )
    assert link[2].strip() == waits
    assert (sentences.SENT_BACK in answer.text) == bool(waits)
    href = link[1].replace("&amp;", "&")
    assert back(href) if mode == "GET" else href == BACK
    assert sentences.PAGE_OVER in bank.get(address).text


def test_the_town_may_say_why_one_is_sent_back(
    bank: FlaskClient, opened: Open, posted: object
) -> None:
    changes = {"redirect_success_timeout": "9", "redirect_success_message": "Kiosque"}
    page = bank.post(f"{opened(**changes)}/carte", data={"card": ACCEPTED}).text
    assert "Kiosque" in page


def test_without_an_address_the_payer_stays(
    bank: FlaskClient, opened: Open, posted: object
) -> None:
    for number, seconds in (("000779", "0"), ("000780", "9")):
        address = opened(
            trans_id=number, url_return=None, return_mode="GET", redirect_success_timeout=seconds
        )
        answer = bank.post(f"{address}/carte", data={"card": ACCEPTED})
        assert answer.status_code == (303 if seconds == "0" else 200)
        assert sentences.BACK_TO_SITE not in answer.text

"""The options of the bank's page reach the form, and a return by GET proves nothing."""

from dataclasses import replace
from typing import Any

import pytest

from gateways.base import BadCallback, Callback, Outcome
from gateways.lyra import HostedForm, LyraGateway, sign
from gateways.lyra.page import CARDS, LANGUAGES
from tests import sentences
from tests.bank import ABANDONED, KEY, NEW_ORDER, REFUSED, notice
from tests.gateways.test_lyra import TABLE, callback, relabelled

PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
BY_GET = {**TABLE, "test_password": PASSWORD, "confirm": True, "return_mode": "GET"}


def shop(**settings: object) -> LyraGateway:
    return LyraGateway.configure("banque", {**TABLE, **settings}, environment="test")


def sent(language: str = "fr", **settings: object) -> dict[str, str]:
    """The form a payer carries, whose signature is right."""
    fields = dict(shop(**settings).start(replace(NEW_ORDER, language=language)).fields or ())
    assert fields["signature"] == sign(fields, KEY.encode())
    return fields


# --- Language ---


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_page_speaks_the_language_the_payer_reads(language: str) -> None:
    assert sent(language)["vads_language"] == language


@pytest.mark.parametrize(
    ("language", "spoken"), [("pt-BR", "pt"), ("zh-Hant", "zh"), ("EN", "en"), ("en-GB", "en")]
)
def test_a_regions_language_is_the_banks_own(language: str, spoken: str) -> None:
    assert sent(language)["vads_language"] == spoken


@pytest.mark.parametrize("language", ["ar", "br", "uk", "ro", "", "-", "fr+en", "français"])
def test_a_language_the_bank_does_not_speak_is_left_to_the_browser(language: str) -> None:
    assert "vads_language" not in sent(language)


def test_the_languages_are_those_of_the_protocol_and_the_selector_offers_them_all() -> None:
    assert " ".join(sorted(LANGUAGES)) == "de en es fr it ja nl pl pt ru sv tr zh"
    assert "vads_available_languages" not in sent()


# --- Cards, theme, way back ---


def test_every_card_of_the_contract_is_offered_unless_some_are_chosen() -> None:
    assert "vads_payment_cards" not in sent()
    assert sent(cards=["CB"])["vads_payment_cards"] == "CB"
    chosen = sent(cards=["CB", "VISA", "MASTERCARD", "E-CARTE"])
    assert chosen["vads_payment_cards"] == "CB;VISA;MASTERCARD;E-CARTEBLEUE"
    assert sent(cards=", ".join(CARDS))["vads_payment_cards"] == ";".join(CARDS)


@pytest.mark.parametrize("brand", [*CARDS, "CB_OF_TOMORROW"])
def test_a_receipt_names_the_network_that_the_bank_announces(brand: str) -> None:
    handoff = shop(cards=["CB", "VISA"]).start(NEW_ORDER)
    report = shop().read_notification(callback(notice(handoff, card_brand=brand)))
    assert (report.outcome, report.card_brand) == (Outcome.PAID, brand)


@pytest.mark.parametrize(
    "theme",
    [
        "SIMPLIFIED_DISPLAY=true",
        "SIMPLIFIED_DISPLAY=false",
        "SUCCESS_FOOTER_MSG_RETURN=Revenir à l’accueil ;SHOP_LOGO=https://example.org/l.png?a=b",
        "A=" + "é" * 253,
    ],
)
def test_a_theme_is_sent_as_it_is_written(theme: str) -> None:
    assert sent(theme=theme)["vads_theme_config"] == theme
    assert "vads_theme_config" not in sent()


def test_the_payer_is_sent_back_after_a_few_seconds_and_never_after_a_refusal() -> None:
    assert sent()["vads_redirect_success_timeout"] == "5"
    assert sent(return_seconds=0)["vads_redirect_success_timeout"] == "0"
    assert sent(return_seconds="300")["vads_redirect_success_timeout"] == "300"
    assert not [name for name in sent(return_seconds=300) if "error" in name]


def test_the_way_back_carries_nothing_unless_a_town_wants_it_to() -> None:
    assert sent()["vads_return_mode"] == "NONE"
    assert sent(**BY_GET)["vads_return_mode"] == "GET"


@pytest.mark.parametrize("theme", ["A=1+1", "A=<", "A=" + "b" * 254])
def test_a_theme_that_could_shift_the_signature_is_never_sent(theme: str) -> None:
    """Were it to come to the form otherwise than through the settings."""
    gateway = shop()
    gateway._shop = replace(gateway._shop, page=replace(gateway._shop.page, theme=theme))
    with pytest.raises(ValueError, match=f"vads_theme_config {sentences.NOT_SENT}"):
        gateway.start(NEW_ORDER)


# --- A return by GET is signed by the bank, of the same key as its notices ---


@pytest.fixture
def by_get() -> LyraGateway:
    return shop(**BY_GET)


def returned(gateway: HostedForm, **changes: str | None) -> dict[str, str]:
    """Return the fields of a return: those of a notification, without those that only it has."""
    return notice(gateway.start(NEW_ORDER), **{"hash": None, "url_check_src": None, **changes})


@pytest.mark.parametrize("end", [{}, REFUSED, ABANDONED])
def test_a_return_posted_as_a_notice_is_refused(
    by_get: LyraGateway, end: dict[str, str | None]
) -> None:
    with pytest.raises(BadCallback, match="vads_hash absent"):
        by_get.read_notification(callback(returned(by_get, **end)))


@pytest.mark.parametrize(
    "added",
    [
        {"vads_hash": "a" * 64, "vads_url_check_src": "PAY"},
        {"vads_hash": "a" * 64},
        {"vads_url_check_src": "PAY"},
        {"vads_amount": "1"},
        {"vads_order_id": "KFffffffffffffffffff"},
        {"vads_trans_status": "CAPTURED"},
        {"vads_ctx_mode": "PRODUCTION"},
    ],
)
def test_a_return_with_anything_added_or_changed_is_refused(
    by_get: LyraGateway, added: dict[str, str]
) -> None:
    with pytest.raises(BadCallback):
        by_get.read_notification(callback({**returned(by_get), **added}))


def test_a_return_cannot_be_relabelled_into_a_notice(by_get: LyraGateway) -> None:
    """The values of a return to which the payer wrote nothing: none is a stamp."""
    wanted = notice(by_get.start(NEW_ORDER))
    del wanted["signature"]
    with pytest.raises(LookupError):
        relabelled(returned(by_get), {name: value for name, value in wanted.items() if value})


def typed_into(back: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """The attack: what a payer typed on the bank's page comes back, signed by the bank; it holds
    what a notice holds, and new names make it one."""
    del wanted["signature"]
    wanted = {name: value for name, value in wanted.items() if value}
    typed = "x+" + "+".join(wanted[name] for name in sorted(wanted)) + "+@example.org"
    del back["signature"]
    # Their other values sort after the pieces, under names without meaning.
    back = {
        "vads_cust_email": typed,
        **{f"vads_zz{i:03}": it for i, it in enumerate(back.values())},
    }
    return relabelled({**back, "signature": sign(back, KEY.encode())}, wanted)


GAINED: list[Any] = [
    ({}, Outcome.PAID),
    ({"trans_status": "CAPTURED"}, Outcome.PAID),
    ({"trans_status": "CANCELLED"}, Outcome.REVERSED),
    ({"operation_type": "CREDIT", "trans_id": "912345"}, Outcome.REFUNDED),
]


@pytest.mark.parametrize(("said", "outcome"), GAINED)
def test_what_a_payer_could_forge_of_a_return_only_makes_us_ask_the_bank(
    by_get: LyraGateway, said: dict[str, str | None], outcome: Outcome
) -> None:
    forged = typed_into(returned(by_get), notice(by_get.start(NEW_ORDER), **said))
    report = by_get.read_notification(callback(forged))
    assert report.outcome is outcome
    assert report.ask, "it counts once the bank has confirmed it"


@pytest.mark.parametrize(("said", "_outcome"), GAINED)
@pytest.mark.parametrize(
    "lost",
    [
        {"hash": None},
        {"hash": None, "result": "05"},
        {"payment_config": "MULTI"},
        {"amount": "x"},
    ],
)
def test_what_a_payer_could_forge_out_of_shape_only_makes_us_ask_the_bank_too(
    by_get: LyraGateway, said: dict[str, str | None], _outcome: Outcome, lost: dict[str, Any]
) -> None:
    """No entry for the régisseur, no invoice held: a payer may forge as many as it likes."""
    wanted = notice(by_get.start(NEW_ORDER), **{**said, **lost})
    report = by_get.read_notification(callback(typed_into(returned(by_get), wanted)))
    assert (report.outcome, report.ask) == (Outcome.PENDING, True)


@pytest.mark.parametrize(("said", "outcome"), GAINED)
def test_without_the_banks_word_such_a_forgery_would_be_believed(
    by_get: LyraGateway, said: dict[str, str | None], outcome: Outcome
) -> None:
    """The negative control, and why GET demands `confirm`."""
    credulous = LyraGateway("banque", "", replace(by_get._shop, confirm=False))
    forged = typed_into(returned(by_get), notice(by_get.start(NEW_ORDER), **said))
    report = credulous.read_notification(callback(forged))
    assert (report.outcome, report.ask) == (outcome, False)


def test_what_moves_no_money_is_heard_at_once_even_so(by_get: LyraGateway) -> None:
    """Asked about an abandon, the bank knows nothing: its invoices would be held half an hour."""
    for said in (REFUSED, ABANDONED, {"trans_status": "UNDER_VERIFICATION"}):
        report = by_get.read_notification(
            Callback.of_form(notice(by_get.start(NEW_ORDER), **said).items())
        )
        assert not report.ask


def test_where_the_return_is_empty_only_payments_are_asked_about() -> None:
    gateway = shop(test_password=PASSWORD, confirm=True)
    for said, outcome in GAINED:
        for shape in ({}, {"hash": None}):
            told = notice(gateway.start(NEW_ORDER), **said, **shape)
            report = gateway.read_notification(callback(told))
            assert report.ask == (outcome is Outcome.PAID)

"""Each setting of each adapter, wrong in each way we know: a sentence says what is expected and
where to find it, and never repeats a secret."""

import pytest

from gateways import registry
from gateways.base import ConfigError
from gateways.lyra import BRANDS
from gateways.lyra.credentials import (
    API_KEYS,
    BACK_OFFICE,
    KEYS,
    SHORTEST,
    key_fault,
    password_fault,
)
from gateways.lyra.page import CARDS
from gateways.registry import configure
from tests import sentences
from tests.bank import KEY

FORM_KEY = "Jm5vXqT9rWz8LkPn"
OTHER_KEY = "Bd5yHs9JcF4gWa7E"
HMAC_KEY = "VgbDd550wI6W1rwODGy56QAUkUQwIEdwXG5ziDUUC72BS"
PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
LIVE_PASSWORD = "prodpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
PUBLIC_KEY = "12345678:testpublickey_Zr3fXIKKx0mLY9YNBQEan42ano2Q"

LYRA = {"adapter": "lyra", "site_id": "12345678", "test_key": FORM_KEY}
LIVE = {
    "adapter": "lyra",
    "site_id": "12345678",
    "mode": "PRODUCTION",
    "production_key": FORM_KEY,
    "production_password": LIVE_PASSWORD,
}
SANDBOX = {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": KEY}
PAYFIP = {"adapter": "payfip", "numcli": "006382"}
MOCK_PAYFIP = {"adapter": "sandbox-payfip", "url": "http://127.0.0.1:8001"}


def explained(
    table: dict[str, object], environment: str = "test", *, setting: str, without: str = ""
) -> str:
    """The one fault of this table, which is about this setting and shows no secret."""
    kept = {name: value for name, value in table.items() if name != without}
    with pytest.raises(ConfigError) as refused:
        configure("banque", kept, environment=environment)
    (fault,) = refused.value.faults
    name, _, sentence = fault.partition(" : ")
    assert name == f"gateways.banque.{setting}"
    for secret, value in kept.items():
        if secret.endswith(("key", "password")) and len(str(value).strip()) > 13:
            assert str(value).strip() not in fault
    return sentence


@pytest.mark.parametrize("table", [LYRA, SANDBOX, PAYFIP, MOCK_PAYFIP])
def test_the_tables_here_are_right_but_for_what_is_changed(table: dict[str, object]) -> None:
    assert configure("banque", table, environment="test").name == "banque"
    assert configure("banque", LIVE, environment="production").name == "banque"


@pytest.mark.parametrize("adapter", ["", "Lyra", "systempay", 3, None])
def test_an_unknown_adapter_is_told_which_there_are(
    adapter: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: [])  # none of a stranger's
    sentence = explained({**LYRA, "adapter": adapter}, setting="adapter")
    assert sentence == f"{sentences.ONE_OF} lyra, payfip, sandbox, sandbox-payfip"


# --- Lyra: the shop ---


@pytest.mark.parametrize(
    "site_id",
    ["", "1234567", "123456789", "1234 5678", " 12345678", "12345678\n", "1234-5678", "1234567O",
     "１２３４５６７８", FORM_KEY],
)  # fmt: skip
def test_a_shops_identifier_is_eight_digits(site_id: str) -> None:
    sentence = explained({**LYRA, "site_id": site_id}, setting="site_id")
    assert sentence.startswith(sentences.SHOP_NUMBER)
    assert sentence.endswith(f"({BACK_OFFICE})")


def test_an_identifier_without_quotes_or_missing_is_explained_too() -> None:
    number = explained({**LYRA, "site_id": 12345678}, setting="site_id")
    assert sentences.TEXT_IN_QUOTES in number
    missing = explained(LYRA, setting="site_id", without="site_id")
    assert missing.startswith(f"{sentences.MISSING_SETTING} ; {sentences.SHOP_NUMBER}")


@pytest.mark.parametrize("mode", ["", "test", "PROD", "LIVE", "PRODUCTION"])
def test_the_mode_is_that_of_the_environment(mode: str) -> None:
    table = {**LYRA, "mode": mode, "production_key": OTHER_KEY}
    assert explained(table, setting="mode").startswith("attendu TEST ")


@pytest.mark.parametrize("mode", ["TEST", "", "production"])
def test_production_is_not_for_rehearsals(mode: str) -> None:
    table = {**LIVE, "test_key": OTHER_KEY, "test_password": PASSWORD, "mode": mode}
    sentence = explained(table, "production", setting="mode")
    assert sentence.startswith("attendu PRODUCTION ")


# --- Lyra: keys and passwords ---

WRONG_KEYS = {
    "Jm5vXqT9 rWz8LkPn": sentences.STRAY_SIGN,
    "Jm5vXqT9\nrWz8LkPn": sentences.STRAY_SIGN,
    "Jm5vXqT9rWz8LkPé": sentences.STRAY_SIGN,
    "Jm5vXqT9rWz8LkP\u200b": sentences.STRAY_SIGN,
    "****************": sentences.MASKED,
    "Jm5v••••••••LkPn": sentences.MASKED,
    "Jm5v...": sentences.MASKED,
    "xxxxxxxxxxxxxxxx": sentences.MASKED,
    PASSWORD: sentences.A_REST_PASSWORD,
    LIVE_PASSWORD: sentences.A_REST_PASSWORD,
    f"12345678:{PASSWORD}": sentences.A_REST_PASSWORD,
    PUBLIC_KEY: sentences.A_PUBLIC_KEY,
    HMAC_KEY: sentences.TOO_LONG,
    "Jm5vXqT9rWz8LkP": sentences.TOO_SHORT,
    "1111111111111111": sentences.TYPED_BY_HAND,
}


@pytest.mark.parametrize(("key", "why"), WRONG_KEYS.items())
def test_a_key_copied_wrong_is_explained_in_either_mode(key: str, why: str) -> None:
    in_test = explained({**LYRA, "test_key": key}, setting="test_key")
    live = explained({**LIVE, "production_key": key}, "production", setting="production_key")
    for sentence in (in_test, live):
        assert sentence.startswith(why)
        assert sentence.endswith(f"({KEYS})")


@pytest.mark.parametrize("key", ["aB1!" * 4, "Jm5vXqT9rWz8LkPn", FORM_KEY * 2 + FORM_KEY[:8]])
def test_a_key_of_four_signs_or_of_the_most_letters_is_one(key: str) -> None:
    assert key_fault(key) == ""


@pytest.mark.parametrize("own", ["aB1!" * 4, FORM_KEY])
def test_a_password_of_four_signs_or_of_the_fewest_letters_is_one(own: str) -> None:
    assert password_fault(f"testpassword_{own}", "testpassword_") == ""


def test_a_label_holds_sixty_letters() -> None:
    assert configure("banque", {**LYRA, "label": "B" * 60}, environment="test").label == "B" * 60


def test_the_key_not_in_force_is_looked_at_too() -> None:
    for change in ("production_key", "test_key"):
        table, environment = (LYRA, "test") if change == "production_key" else (LIVE, "production")
        assert explained({**table, change: "court"}, environment, setting=change).startswith(
            sentences.TOO_SHORT
        )


def test_a_key_that_is_missing_is_asked_for_by_its_name() -> None:
    for key in ("", " \n"):
        sentence = explained({**LYRA, "test_key": key}, setting="test_key")
        assert sentence == f"{sentences.COPY_THE_KEY} test ({KEYS})"
    live = explained(LIVE, "production", setting="production_key", without="production_key")
    assert live == f"{sentences.COPY_THE_KEY} production ({KEYS})"


@pytest.mark.parametrize(("table", "environment"), [(LYRA, "test"), (LIVE, "production")])
def test_one_modes_key_in_the_place_of_the_others_is_seen(
    table: dict[str, object], environment: str
) -> None:
    both = {**table, "test_key": FORM_KEY, "production_key": f"{FORM_KEY}\n"}
    sentence = explained(both, environment, setting="production_key")
    assert sentence == f"{sentences.TEST_KEY} ({KEYS})"


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "\t{}\r\n"])
def test_white_space_around_what_is_copied_is_no_fault(around: str) -> None:
    table = {**LYRA, "test_key": around.format(FORM_KEY), "test_password": around.format(PASSWORD)}
    gateway = configure("banque", table, environment="test")
    assert gateway._shop.key == FORM_KEY.encode()  # type: ignore[attr-defined]
    assert gateway._shop.password == PASSWORD  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["1122334455667788", "0010020030040050", "8975389753897538"])
def test_a_key_of_sixteen_digits_as_banks_drew_them_is_taken(key: str) -> None:
    """One in 300 has no more than five different digits; fewer than one in a million, three."""
    assert key_fault(key) == ""


WRONG_PASSWORDS = {
    " ": sentences.NOT_A_PASSWORD,
    FORM_KEY: sentences.NOT_A_PASSWORD,
    HMAC_KEY: sentences.NOT_A_PASSWORD,
    PUBLIC_KEY: sentences.A_PUBLIC_KEY,
    "testpassword_********************": sentences.MASKED,
    "testpassword_court": sentences.WHOLE_PASSWORD,
    "testpassword_": sentences.WHOLE_PASSWORD,
    "testpassword_" + "0" * 20: sentences.WHOLE_PASSWORD,
    "testpassword_avec espace 0123456789": sentences.STRAY_SIGN,
    LIVE_PASSWORD: f"{sentences.PASSWORD_OF} production",
    f"12345678:{PASSWORD}": sentences.NOT_A_PASSWORD,
}


@pytest.mark.parametrize(("password", "why"), WRONG_PASSWORDS.items())
def test_a_password_copied_wrong_is_explained(password: str, why: str) -> None:
    sentence = explained({**LYRA, "test_password": password}, setting="test_password")
    expected, _, fault = sentence.partition(" ; ")
    assert "testpassword_" in expected
    assert sentences.numbers(expected) == [SHORTEST]
    assert fault.startswith(why)
    assert fault.endswith(f"({API_KEYS})")


def test_the_password_of_rehearsals_is_not_for_production() -> None:
    table = {**LIVE, "production_password": PASSWORD}
    sentence = explained(table, "production", setting="production_password")
    assert "prodpassword_" in sentence
    assert sentence.endswith(f"{sentences.PASSWORD_OF} test ({API_KEYS})")


def test_to_confirm_the_bank_must_be_asked() -> None:
    sentence = explained({**LYRA, "confirm": True}, setting="confirm")
    assert sentence.startswith(sentences.PASSWORD_TO_ASK)
    assert sentence.endswith(f"({API_KEYS})")
    assert explained({**LYRA, "confirm": "oui"}, setting="confirm") == "attendu true ou false"


def test_no_secret_is_in_a_fault_whatever_is_wrong_with_it() -> None:
    for text in (*WRONG_KEYS, *WRONG_PASSWORDS, FORM_KEY):
        for fault in (key_fault(text), password_fault(text, "testpassword_")):
            assert len(text.strip()) < 14 or text.strip() not in fault


# --- Lyra: the bank ---


@pytest.mark.parametrize("brand", ["", "Systempay", "caisse-epargne", "paypal"])
def test_an_unknown_brand_is_told_which_there_are(brand: str) -> None:
    sentence = explained({**LYRA, "brand": brand}, setting="brand")
    assert sentence.startswith(f"{sentences.ONE_OF} {', '.join(sorted(BRANDS))} ; ")
    assert sentence.endswith(sentences.ANOTHER_HOST)


@pytest.mark.parametrize("setting", ["host", "api_host"])
@pytest.mark.parametrize(
    "host",
    ["https://paiement.example.org", "paiement.example.org/", "paiement.example.org:443", "banque",
     "PAIEMENT.example.org", " paiement.example.org", "paiement.example.org+x", "évil.example.org"],
)  # fmt: skip
def test_a_host_is_a_name_and_no_more(setting: str, host: str) -> None:
    assert explained({**LYRA, setting: host}, setting=setting).startswith(sentences.HOST_NAME)


@pytest.mark.parametrize("change", [{"brand": "osb"}, {"host": "paiement.example.org"}])
def test_a_password_goes_to_no_other_bank_than_the_forms(change: dict[str, object]) -> None:
    sentence = explained({**LYRA, "test_password": PASSWORD, **change}, setting="api_host")
    assert sentence == f"{sentences.API_HOST} ({API_KEYS})"
    api = {"api_host": "api.example.org", "test_password": PASSWORD}
    shop = configure("banque", {**LYRA, **change, **api}, environment="test")._shop  # type: ignore[attr-defined]
    assert shop.api_origin == "https://api.example.org"


@pytest.mark.parametrize("label", ["a" * 61, "Notre\nbanque"])
def test_a_banks_name_is_a_line(label: str) -> None:
    assert explained({**LYRA, "label": label}, setting="label").startswith(
        sentences.NAME_OF_THE_BANK
    )


# --- Lyra: the page ---


@pytest.mark.parametrize(
    ("cards", "why"),
    [
        (["CB", "carte bleue"], f"la valeur 2 {sentences.NOT_A_CARD}"),
        (["cb"], f"la valeur 1 {sentences.NOT_A_CARD}"),
        (["CB;VISA"], f"la valeur 1 {sentences.NOT_A_CARD}"),
        (["TOUTES"], f"la valeur 1 {sentences.NOT_A_CARD}"),
        ("CB,PAYPAL", f"la valeur 2 {sentences.NOT_A_CARD}"),
        (["CB", "VISA", "CB"], f"CB {sentences.WRITTEN_TWICE}"),
        (["E-CARTE", "E-CARTEBLEUE"], f"E-CARTEBLEUE {sentences.WRITTEN_TWICE}"),
        (["CVCO"], f"CVCO {sentences.CARD_NOT_POSSIBLE}"),
        (["CB", "SDD"], f"SDD {sentences.CARD_NOT_POSSIBLE}"),
        (4, f"attendu {sentences.LIST_WANTED}"),
    ],
)  # fmt: skip
def test_a_card_is_one_the_bank_knows_and_the_books_can_follow(cards: object, why: str) -> None:
    assert explained({**LYRA, "cards": cards}, setting="cards").startswith(why)


def test_the_cards_there_are_are_told() -> None:
    told = explained({**LYRA, "cards": ["x"]}, setting="cards")
    assert f"parmi {', '.join(CARDS)} (ou E-CARTE)" in told


@pytest.mark.parametrize(
    ("theme", "why"),
    [
        ("A=" + "b" * 254, "255 "),
        ("SECURE_MESSAGE=1+1", sentences.SIGNS_REFUSED),
        ("SECURE_MESSAGE=<b>", sentences.SIGNS_REFUSED),
        ("SECURE_MESSAGE", sentences.THEME_FORM),
        ("SECURE_MESSAGE=", sentences.THEME_FORM),
        ("SECURE_MESSAGE=a;", sentences.THEME_FORM),
        ("secure_message=a", sentences.THEME_FORM),
        ("SECURE_MESSAGE=a\nb", sentences.THEME_FORM),
        (" SECURE_MESSAGE=a", sentences.THEME_FORM),
        ("SITE_ID_LABEL=a;SITE_ID_LABEL=b", sentences.EACH_NAME_ONCE),
        ("SIMPLIFIED_DISPLAY=oui", "SIMPLIFIED_DISPLAY "),
        ("SHOP_LOGO=http://example.org/l.png", f"SHOP_LOGO : {sentences.HTTPS_ADDRESS}"),
    ],
)
def test_a_theme_is_in_the_banks_own_writing(theme: str, why: str) -> None:
    assert explained({**LYRA, "theme": theme}, setting="theme").startswith(why)


def test_a_way_back_is_explained() -> None:
    for mode in ("POST", "post", "get", "", "AUTO"):
        sentence = explained({**LYRA, "return_mode": mode}, setting="return_mode")
        assert "attendu NONE ou GET" in sentence
        assert (sentences.POST_REFUSED in sentence) == (mode == "POST")
    get = explained({**LYRA, "return_mode": "GET"}, setting="return_mode")
    assert sentences.CONFIRM_WANTED in get


@pytest.mark.parametrize("seconds", [-1, 301])
def test_the_way_back_begins_within_five_minutes(seconds: int) -> None:
    sentence = explained({**LYRA, "return_seconds": seconds}, setting="return_seconds")
    assert sentence.endswith(sentences.RETURN_SECONDS)
    assert sentences.numbers(sentence) == [0, 300]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("siteid", "site_id"), ("card", "cards"), ("test_keys", "test_key"), ("hots", "host")],
)
def test_an_unknown_setting_is_told_which_was_meant(written: str, meant: str) -> None:
    assert explained({**LYRA, written: "x"}, setting=written) == (
        f"{sentences.UNKNOWN_SETTING} ; {sentences.PERHAPS} {meant}"
    )
    assert explained({**LYRA, "zzz": "x"}, setting="zzz") == sentences.UNKNOWN_SETTING


# --- The mock bank ---


@pytest.mark.parametrize("table", [SANDBOX, MOCK_PAYFIP])
@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8001", "http://127.0.0.1:8001/", "ftp://127.0.0.1", "http://a b"]
)
def test_the_mock_banks_address_is_explained(table: dict[str, object], url: str) -> None:
    wrong = explained({**table, "url": url}, setting="url")
    assert wrong.startswith(sentences.MOCK_ADDRESS)
    missing = explained(table, setting="url", without="url")
    assert missing == f"{sentences.MISSING_SETTING} ; {wrong}"


@pytest.mark.parametrize("key", [*WRONG_KEYS, ""])
def test_the_mock_banks_key_is_explained_without_a_back_office(key: str) -> None:
    sentence = explained({**SANDBOX, "key": key}, setting="key")
    assert sentence.endswith(f"{sentences.MOCK_SECRET} (SANDBOX_KEY)")
    assert "back office" not in sentence


@pytest.mark.parametrize("password", WRONG_PASSWORDS)
def test_the_mock_banks_password_is_explained_without_a_back_office(password: str) -> None:
    sentence = explained({**SANDBOX, "password": password}, setting="password")
    assert sentence.endswith(f"{sentences.MOCK_SECRET} (SANDBOX_PASSWORD)")
    assert "back office" not in sentence


@pytest.mark.parametrize(
    ("setting", "value"),
    [("confirm", True), ("confirm", "oui"), ("cards", ["x"]), ("theme", "x"), ("label", "a\nb"),
     ("return_mode", "POST"), ("return_mode", "GET"), ("return_seconds", 301)],
)  # fmt: skip
def test_what_the_mock_bank_has_of_lyras_is_explained_as_lyras(setting: str, value: object) -> None:
    ours = explained({**SANDBOX, setting: value}, setting=setting)
    lyras = explained({**LYRA, setting: value}, setting=setting)
    assert ours == lyras.partition(" (back office")[0]


@pytest.mark.parametrize("table", [SANDBOX, MOCK_PAYFIP])
def test_the_mock_bank_is_not_for_production(table: dict[str, object]) -> None:
    sentence = explained(table, "production", setting="adapter")
    assert sentence.startswith(sentences.NO_MOCK_BANK_HERE)


# --- PayFiP ---


@pytest.mark.parametrize("numcli", ["", "6382", "0063820", "00 6382", "006382\n", "00638A"])
def test_a_numcli_is_six_digits(numcli: str) -> None:
    sentence = explained({**PAYFIP, "numcli": numcli}, setting="numcli")
    assert sentence.startswith(sentences.NUMCLI)
    missing = explained(PAYFIP, setting="numcli", without="numcli")
    assert missing == f"{sentences.MISSING_SETTING} ; {sentence}"


def test_a_numcli_without_quotes_is_explained() -> None:
    assert sentences.TEXT_IN_QUOTES in explained({**PAYFIP, "numcli": 6382}, setting="numcli")


@pytest.mark.parametrize(
    ("mode", "environment", "why"),
    [
        ("W", "test", "attendu T,"),
        ("X", "demo", "attendu T,"),
        ("TEST", "test", "attendu T,"),
        ("T", "production", "attendu W, ou X"),
        ("w", "production", "attendu W, ou X"),
    ],
)
def test_payfips_mode_is_that_of_the_environment(mode: str, environment: str, why: str) -> None:
    sentence = explained({**PAYFIP, "mode": mode}, environment, setting="mode")
    assert sentence.startswith(why)
    assert sentence.endswith(f" {environment}")


@pytest.mark.parametrize("exer", ["26", "1999", "2026 ", "20266"])
def test_a_debts_year_has_four_digits(exer: str) -> None:
    assert explained({**PAYFIP, "exer": exer}, setting="exer").startswith(sentences.YEAR_WANTED)


@pytest.mark.parametrize("cents", [0, 99, 10_000_000, -5])
def test_the_most_of_a_payment_is_the_conventions(cents: int) -> None:
    sentence = explained({**PAYFIP, "maximum_cents": cents}, setting="maximum_cents")
    assert sentence.startswith(sentences.CENTS_WANTED)
    assert sentences.numbers(sentence) == [100, 9_999_999]
    euros = explained({**PAYFIP, "maximum_cents": "1 000 €"}, setting="maximum_cents")
    assert euros == f"attendu {sentences.NUMBER_WANTED}"


@pytest.mark.parametrize("table", [PAYFIP, MOCK_PAYFIP])
@pytest.mark.parametrize("label", ["", " ", "a" * 81, "Le\nTrésor"])
def test_the_name_shown_to_payers_is_a_line(table: dict[str, object], label: str) -> None:
    assert explained({**table, "label": label}, setting="label").startswith(sentences.SHOWN_NAME)

"""Each setting of each adapter, wrong in each way we know: a sentence says what is expected and
where to find it, and never repeats a secret."""

import pytest

from gateways import registry
from gateways.base import ConfigError
from gateways.lyra import BRANDS
from gateways.lyra.credentials import key_fault, password_fault
from gateways.lyra.page import CARDS
from gateways.registry import configure
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

BACK_OFFICE = "(back office de la banque : Paramétrage > Boutique"
KEYS, API_KEYS = f"{BACK_OFFICE} > Clés)", f"{BACK_OFFICE} > Clés d’API REST)"
SITE_ID = f"attendu l’identifiant de la boutique, 8 chiffres entre guillemets, sans espace ni tiret {BACK_OFFICE})"  # noqa: E501  # the sentence as it is shown
HOST = "attendu un nom d’hôte, sans https:// ni chemin"
MASKED = "copiée masquée, telle que la page la montre"
BROKEN = "elle contient une espace, un saut de ligne ou un signe qui n’en est pas"


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
    assert sentence == "attendu l’un de lyra, payfip, sandbox, sandbox-payfip"


# --- Lyra: the shop ---


@pytest.mark.parametrize(
    "site_id",
    ["", "1234567", "123456789", "1234 5678", " 12345678", "12345678\n", "1234-5678", "1234567O",
     "１２３４５６７８", FORM_KEY],
)  # fmt: skip
def test_a_shops_identifier_is_eight_digits(site_id: str) -> None:
    assert explained({**LYRA, "site_id": site_id}, setting="site_id") == SITE_ID


def test_an_identifier_without_quotes_or_missing_is_explained_too() -> None:
    number = explained({**LYRA, "site_id": 12345678}, setting="site_id")
    assert number == "attendu un texte entre guillemets"
    missing = explained(LYRA, setting="site_id", without="site_id")
    assert missing == f"réglage manquant ; {SITE_ID}"


@pytest.mark.parametrize("mode", ["", "test", "PROD", "LIVE", "PRODUCTION"])
def test_the_mode_is_that_of_the_environment(mode: str) -> None:
    table = {**LYRA, "mode": mode, "production_key": OTHER_KEY}
    assert explained(table, setting="mode") == "attendu TEST quand environment vaut test"


@pytest.mark.parametrize("mode", ["TEST", "", "production"])
def test_production_is_not_for_rehearsals(mode: str) -> None:
    table = {**LIVE, "test_key": OTHER_KEY, "test_password": PASSWORD, "mode": mode}
    sentence = explained(table, "production", setting="mode")
    assert sentence == "attendu PRODUCTION quand environment vaut production"


# --- Lyra: keys and passwords ---

WRONG_KEYS = {
    "Jm5vXqT9 rWz8LkPn": BROKEN,
    "Jm5vXqT9\nrWz8LkPn": BROKEN,
    "Jm5vXqT9rWz8LkPé": BROKEN,
    "Jm5vXqT9rWz8LkP\u200b": BROKEN,
    "****************": MASKED,
    "Jm5v••••••••LkPn": MASKED,
    "Jm5v...": MASKED,
    "xxxxxxxxxxxxxxxx": MASKED,
    PASSWORD: "c’est un mot de passe du service REST ; attendu la clé du formulaire",
    LIVE_PASSWORD: "c’est un mot de passe du service REST ; attendu la clé du formulaire",
    f"12345678:{PASSWORD}": "c’est un mot de passe du service REST",
    PUBLIC_KEY: "c’est une clé publique, faite pour un navigateur",
    HMAC_KEY: "trop longue : sans doute la clé HMAC-SHA-256 de l’API REST",
    "Jm5vXqT9rWz8LkP": "trop courte : attendu les 16 caractères de la clé du formulaire",
    "1111111111111111": "écrite à la main ; copiez celle de la banque",
}


@pytest.mark.parametrize(("key", "why"), WRONG_KEYS.items())
def test_a_key_copied_wrong_is_explained_in_either_mode(key: str, why: str) -> None:
    in_test = explained({**LYRA, "test_key": key}, setting="test_key")
    live = explained({**LIVE, "production_key": key}, "production", setting="production_key")
    for sentence in (in_test, live):
        assert sentence.startswith(why)
        assert sentence.endswith(KEYS)


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
        assert explained({**table, change: "court"}, environment, setting=change).startswith("trop")


def test_a_key_that_is_missing_is_asked_for_by_its_name() -> None:
    for key in ("", " \n"):
        sentence = explained({**LYRA, "test_key": key}, setting="test_key")
        assert sentence == f"copiez la clé de test {KEYS}"
    live = explained(LIVE, "production", setting="production_key", without="production_key")
    assert live == f"copiez la clé de production {KEYS}"


@pytest.mark.parametrize(("table", "environment"), [(LYRA, "test"), (LIVE, "production")])
def test_one_modes_key_in_the_place_of_the_others_is_seen(
    table: dict[str, object], environment: str
) -> None:
    both = {**table, "test_key": FORM_KEY, "production_key": f"{FORM_KEY}\n"}
    sentence = explained(both, environment, setting="production_key")
    assert sentence == f"c’est la clé de test {KEYS}"


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
    " ": "ce n’en est pas un",
    FORM_KEY: "ce n’en est pas un, peut-être une clé",
    HMAC_KEY: "ce n’en est pas un, peut-être une clé",
    PUBLIC_KEY: "c’est une clé publique",
    "testpassword_********************": MASKED,
    "testpassword_court": "copiez celui de la banque en entier",
    "testpassword_": "copiez celui de la banque en entier",
    "testpassword_" + "0" * 20: "copiez celui de la banque en entier",
    "testpassword_avec espace 0123456789": BROKEN,
    LIVE_PASSWORD: "c’est le mot de passe de production",
    f"12345678:{PASSWORD}": "ce n’en est pas un",
}


@pytest.mark.parametrize(("password", "why"), WRONG_PASSWORDS.items())
def test_a_password_copied_wrong_is_explained(password: str, why: str) -> None:
    sentence = explained({**LYRA, "test_password": password}, setting="test_password")
    expected = "attendu testpassword_ suivi d’au moins 16 caractères ; "
    assert sentence.startswith(expected + why)
    assert sentence.endswith(API_KEYS)


def test_the_password_of_rehearsals_is_not_for_production() -> None:
    table = {**LIVE, "production_password": PASSWORD}
    sentence = explained(table, "production", setting="production_password")
    assert sentence == (
        "attendu prodpassword_ suivi d’au moins 16 caractères ; c’est le mot de passe de test "
        f"{API_KEYS}"
    )


def test_to_confirm_the_bank_must_be_asked() -> None:
    sentence = explained({**LYRA, "confirm": True}, setting="confirm")
    assert sentence.startswith("sans mot de passe du service REST, la banque ne peut pas être")
    assert sentence.endswith(API_KEYS)
    assert explained({**LYRA, "confirm": "oui"}, setting="confirm") == "attendu true ou false"


def test_no_secret_is_in_a_fault_whatever_is_wrong_with_it() -> None:
    for text in (*WRONG_KEYS, *WRONG_PASSWORDS, FORM_KEY):
        for fault in (key_fault(text), password_fault(text, "testpassword_")):
            assert len(text.strip()) < 14 or text.strip() not in fault


# --- Lyra: the bank ---


@pytest.mark.parametrize("brand", ["", "Systempay", "caisse-epargne", "paypal"])
def test_an_unknown_brand_is_told_which_there_are(brand: str) -> None:
    sentence = explained({**LYRA, "brand": brand}, setting="brand")
    assert sentence == (
        f"attendu l’un de {', '.join(sorted(BRANDS))} ; une autre banque de la même plateforme se "
        "nomme par host et api_host"
    )


@pytest.mark.parametrize("setting", ["host", "api_host"])
@pytest.mark.parametrize(
    "host",
    ["https://paiement.example.org", "paiement.example.org/", "paiement.example.org:443", "banque",
     "PAIEMENT.example.org", " paiement.example.org", "paiement.example.org+x", "évil.example.org"],
)  # fmt: skip
def test_a_host_is_a_name_and_no_more(setting: str, host: str) -> None:
    assert explained({**LYRA, setting: host}, setting=setting).startswith(HOST)


@pytest.mark.parametrize("change", [{"brand": "osb"}, {"host": "paiement.example.org"}])
def test_a_password_goes_to_no_other_bank_than_the_forms(change: dict[str, object]) -> None:
    sentence = explained({**LYRA, "test_password": PASSWORD, **change}, setting="api_host")
    assert sentence == f"copiez le nom du serveur de l’API REST {API_KEYS}"
    api = {"api_host": "api.example.org", "test_password": PASSWORD}
    shop = configure("banque", {**LYRA, **change, **api}, environment="test")._shop  # type: ignore[attr-defined]
    assert shop.api_origin == "https://api.example.org"


@pytest.mark.parametrize("label", ["a" * 61, "Notre\nbanque"])
def test_a_banks_name_is_a_line(label: str) -> None:
    assert explained({**LYRA, "label": label}, setting="label").startswith("attendu le nom de la")


# --- Lyra: the page ---


@pytest.mark.parametrize(
    ("cards", "why"),
    [
        (["CB", "carte bleue"], "la valeur 2 n’est pas une carte ; attendu, en majuscules, parmi"),
        (["cb"], "la valeur 1 n’est pas une carte"),
        (["CB;VISA"], "la valeur 1 n’est pas une carte"),
        (["TOUTES"], "la valeur 1 n’est pas une carte"),
        ("CB,PAYPAL", "la valeur 2 n’est pas une carte"),
        (["CB", "VISA", "CB"], "CB est écrit deux fois"),
        (["E-CARTE", "E-CARTEBLEUE"], "E-CARTEBLEUE est écrit deux fois"),
        (["CVCO"], "CVCO n’est pas possible ici : un chèque-vacances se complète"),
        (["CB", "SDD"], "SDD n’est pas possible ici : un prélèvement se confirme des jours après"),
        (4, "attendu une liste de textes"),
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
        ("A=" + "b" * 254, "255 caractères au plus"),
        (
            "SECURE_MESSAGE=1+1",
            "les signes + < > sont refusés (le + sépare ce que la banque signe)",
        ),
        ("SECURE_MESSAGE=<b>", "les signes + < > sont refusés"),
        ("SECURE_MESSAGE", "attendu NOM=valeur;NOM=valeur"),
        ("SECURE_MESSAGE=", "attendu NOM=valeur;NOM=valeur"),
        ("SECURE_MESSAGE=a;", "attendu NOM=valeur;NOM=valeur"),
        ("secure_message=a", "attendu NOM=valeur;NOM=valeur"),
        ("SECURE_MESSAGE=a\nb", "attendu NOM=valeur;NOM=valeur"),
        (" SECURE_MESSAGE=a", "attendu NOM=valeur;NOM=valeur"),
        ("SITE_ID_LABEL=a;SITE_ID_LABEL=b", "chaque nom une seule fois"),
        ("SIMPLIFIED_DISPLAY=oui", "SIMPLIFIED_DISPLAY vaut true ou false"),
        ("SHOP_LOGO=http://example.org/l.png", "SHOP_LOGO : attendu une adresse en https"),
    ],
)
def test_a_theme_is_in_the_banks_own_writing(theme: str, why: str) -> None:
    assert explained({**LYRA, "theme": theme}, setting="theme").startswith(why)


def test_a_way_back_is_explained() -> None:
    for mode in ("POST", "post", "get", "", "AUTO"):
        sentence = explained({**LYRA, "return_mode": mode}, setting="return_mode")
        assert "attendu NONE ou GET" in sentence
        assert ("POST est refusé : un formulaire venu d’un autre site" in sentence) == (
            mode == "POST"
        )
    get = explained({**LYRA, "return_mode": "GET"}, setting="return_mode")
    assert "il faut confirm = true" in get


@pytest.mark.parametrize("seconds", [-1, 301])
def test_the_way_back_begins_within_five_minutes(seconds: int) -> None:
    sentence = explained({**LYRA, "return_seconds": seconds}, setting="return_seconds")
    assert sentence == "attendu de 0 (retour immédiat) à 300 secondes après un paiement accepté"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("siteid", "site_id"), ("card", "cards"), ("test_keys", "test_key"), ("hots", "host")],
)
def test_an_unknown_setting_is_told_which_was_meant(written: str, meant: str) -> None:
    assert explained({**LYRA, written: "x"}, setting=written) == (
        f"réglage inconnu ; peut-être {meant}"
    )
    assert explained({**LYRA, "zzz": "x"}, setting="zzz") == "réglage inconnu"


# --- The mock bank ---


@pytest.mark.parametrize("table", [SANDBOX, MOCK_PAYFIP])
@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8001", "http://127.0.0.1:8001/", "ftp://127.0.0.1", "http://a b"]
)
def test_the_mock_banks_address_is_explained(table: dict[str, object], url: str) -> None:
    expected = "attendu http://hôte:port, où la banque de démonstration répond, sans chemin"
    assert explained({**table, "url": url}, setting="url") == expected
    assert explained(table, setting="url", without="url") == f"réglage manquant ; {expected}"


@pytest.mark.parametrize("key", [*WRONG_KEYS, ""])
def test_the_mock_banks_key_is_explained_without_a_back_office(key: str) -> None:
    sentence = explained({**SANDBOX, "key": key}, setting="key")
    assert sentence.endswith("c’est la clé donnée à la banque de démonstration (SANDBOX_KEY)")
    assert "back office" not in sentence


@pytest.mark.parametrize("password", WRONG_PASSWORDS)
def test_the_mock_banks_password_is_explained_without_a_back_office(password: str) -> None:
    sentence = explained({**SANDBOX, "password": password}, setting="password")
    assert sentence.endswith("donné à la banque de démonstration (SANDBOX_PASSWORD)")
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
    assert sentence == "la banque de démonstration est interdite en production"


# --- PayFiP ---


@pytest.mark.parametrize("numcli", ["", "6382", "0063820", "00 6382", "006382\n", "00638A"])
def test_a_numcli_is_six_digits(numcli: str) -> None:
    sentence = explained({**PAYFIP, "numcli": numcli}, setting="numcli")
    assert sentence.startswith("attendu les 6 chiffres de votre convention PayFiP avec la DGFiP")
    missing = explained(PAYFIP, setting="numcli", without="numcli")
    assert missing == f"réglage manquant ; {sentence}"


def test_a_numcli_without_quotes_is_explained() -> None:
    assert explained({**PAYFIP, "numcli": 6382}, setting="numcli") == (
        "attendu un texte entre guillemets"
    )


@pytest.mark.parametrize(
    ("mode", "environment", "why"),
    [
        ("W", "test", "attendu T, où rien n’est débité, quand environment vaut test"),
        ("X", "demo", "attendu T, où rien n’est débité, quand environment vaut demo"),
        ("TEST", "test", "attendu T, où rien n’est débité, quand environment vaut test"),
        ("T", "production", "attendu W, ou X pour le paiement d’activation, quand environment"),
        ("w", "production", "attendu W, ou X pour le paiement d’activation, quand environment"),
    ],
)
def test_payfips_mode_is_that_of_the_environment(mode: str, environment: str, why: str) -> None:
    assert explained({**PAYFIP, "mode": mode}, environment, setting="mode").startswith(why)


@pytest.mark.parametrize("exer", ["26", "1999", "2026 ", "20266"])
def test_a_debts_year_has_four_digits(exer: str) -> None:
    assert explained({**PAYFIP, "exer": exer}, setting="exer").startswith("attendu l’année de la")


@pytest.mark.parametrize("cents", [0, 99, 10_000_000, -5])
def test_the_most_of_a_payment_is_the_conventions(cents: int) -> None:
    sentence = explained({**PAYFIP, "maximum_cents": cents}, setting="maximum_cents")
    assert sentence.startswith("attendu un nombre de centimes, de 100 à 9999999")
    euros = explained({**PAYFIP, "maximum_cents": "1 000 €"}, setting="maximum_cents")
    assert euros == "attendu un nombre entier"


@pytest.mark.parametrize("table", [PAYFIP, MOCK_PAYFIP])
@pytest.mark.parametrize("label", ["", " ", "a" * 81, "Le\nTrésor"])
def test_the_name_shown_to_payers_is_a_line(table: dict[str, object], label: str) -> None:
    assert explained({**table, "label": label}, setting="label").startswith("attendu le nom montré")

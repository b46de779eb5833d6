"""The options of the bank's page that a town may choose: languages, cards, look, way back.

Sources: paiement.systempay.fr/doc, form-payment: vads_language, vads_payment_cards,
vads_theme_config, returning to the shop, redirection to the merchant website.

Two fields are never sent. Without `vads_available_languages`, the page offers every language that
it has. Without `vads_redirect_error_timeout`, a payer whose card was refused may try another one,
and leaves by the link of the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Languages of the bank's page.
LANGUAGES = frozenset(
    {"de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv", "tr", "zh"}
)
#: Cards that a town may offer, by their names in the form: all are debited at once and in full.
CARDS = (
    "CB", "VISA", "MASTERCARD", "E-CARTEBLEUE", "MAESTRO", "VISA_ELECTRON", "VPAY", "AMEX",
)  # fmt: skip
#: Names by which people know some of these cards.
_ALSO = {"E-CARTE": "E-CARTEBLEUE"}
_KNOWN_AS = {
    "CB": "CB", "VISA": "Visa", "MASTERCARD": "Mastercard", "E-CARTEBLEUE": "e-Carte Bleue",
    "MAESTRO": "Maestro", "VISA_ELECTRON": "Visa Electron", "VPAY": "V PAY",
    "AMEX": "American Express",
}  # fmt: skip
#: The cards of every French contract, offered if the town chooses none.
_USUAL = ("CB", "VISA", "MASTERCARD", "E-CARTEBLEUE")
_NOT_CARDS = {
    "CVCO": "un chèque-vacances se complète par une carte : deux débits, que le site ne réunit pas",
    "SDD": "un prélèvement se confirme des jours après ; voyez PayFiP",
}
LONGEST_THEME = 255
LONGEST_PAUSE = 300
#: Values that name a file; a page in https shows only files from https.
_FILES = frozenset(
    {
        "CSS_FOR_PAYMENT", "CSS_FOR_PAYMENT_MOBILE", "FOOTER_FOR_MAIL", "HEADER_FOR_MAIL",
        "SHOP_LOGO",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """The options of the page.

    `cards` are those offered, all those of the contract if empty; `theme` is written as the bank
    documents it; `return_mode` is NONE or GET; the payer is sent back `return_seconds` after a
    payment.
    """

    cards: tuple[str, ...] = ()
    theme: str = ""
    return_mode: str = "NONE"
    return_seconds: int = 5

    @property
    def card_names(self) -> tuple[str, ...]:
        """The names of the cards offered, as payers know them."""
        return tuple(_KNOWN_AS[_ALSO.get(card, card)] for card in self.cards or _USUAL)

    def fields(self, language: str) -> dict[str, str]:
        """Return the form's fields for a payer who reads this language (BCP 47).

        If the bank does not speak it, the page chooses by the payer's browser.
        """
        spoken = language.partition("-")[0].lower()
        chosen = {
            "vads_language": spoken if spoken in LANGUAGES else "",
            "vads_payment_cards": ";".join(_ALSO.get(card, card) for card in self.cards),
            "vads_redirect_success_timeout": str(self.return_seconds),
            "vads_return_mode": self.return_mode,
            "vads_theme_config": self.theme,
        }
        return {name: value for name, value in chosen.items() if value}

    def faults(self, *, confirm: bool) -> Iterator[str]:
        """Yield every fault, in French. `confirm` is the option of the shop."""
        yield from self._card_faults()
        yield from self._theme_faults()
        if self.return_mode == "POST":
            yield (
                "return_mode : POST est refusé : un formulaire venu d’un autre site ne porte pas "
                "le cookie de la famille, qui reviendrait déconnectée ; attendu NONE ou GET"
            )
        elif self.return_mode not in ("NONE", "GET"):
            yield "return_mode : attendu NONE ou GET, en majuscules"
        elif self.return_mode == "GET" and not confirm:
            yield (
                "return_mode : GET remet au payeur un message que la banque signe comme ses avis ; "
                "il faut confirm = true pour qu’aucun avis ne soit cru sans elle"
            )
        if not 0 <= self.return_seconds <= LONGEST_PAUSE:
            yield (
                f"return_seconds : attendu de 0 (retour immédiat) à {LONGEST_PAUSE} secondes après "
                "un paiement accepté"
            )

    def _card_faults(self) -> Iterator[str]:
        known = ", ".join(CARDS)
        named = [_ALSO.get(card, card) for card in self.cards]
        for place, card in enumerate(named, 1):
            if why := _NOT_CARDS.get(card):
                yield f"cards : {card} n’est pas possible ici : {why}"
            elif card not in CARDS:
                yield (
                    f"cards : la valeur {place} n’est pas une carte ; attendu, en majuscules, "
                    f"parmi {known} (ou E-CARTE) ; vide : toutes celles de votre contrat"
                )
            elif card in named[: place - 1]:
                yield f"cards : {card} est écrit deux fois"

    def _theme_faults(self) -> Iterator[str]:
        if not self.theme:
            return
        parts = [part.partition("=") for part in self.theme.split(";")]
        names = [name for name, _, _ in parts]
        if len(self.theme) > LONGEST_THEME:
            yield f"theme : {LONGEST_THEME} caractères au plus"
        elif re.search(r"[+<>]", self.theme):
            yield "theme : les signes + < > sont refusés (le + sépare ce que la banque signe)"
        elif not self.theme.isprintable() or not all(
            re.fullmatch("[A-Z][A-Z0-9_]*", name) and value.strip() for name, _, value in parts
        ):
            yield (
                "theme : attendu NOM=valeur;NOM=valeur, tel que la banque le documente, par "
                "exemple SUCCESS_FOOTER_MSG_RETURN=Revenir au site de la ville"
            )
        elif len(set(names)) < len(names):
            yield "theme : chaque nom une seule fois"
        for name, _, value in parts:
            if name == "SIMPLIFIED_DISPLAY" and value not in ("true", "false"):
                yield "theme : SIMPLIFIED_DISPLAY vaut true ou false"
            if name in _FILES and value.startswith("http:"):
                yield f"theme : {name} : attendu une adresse en https"

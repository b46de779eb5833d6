"""The test cards of the mock bank, and those that a form allows. No number is of a real card."""

from collections.abc import Mapping
from typing import NamedTuple

#: Networks of the shop's contract: {name in the form: name for people}.
CONTRACT = {
    "CB": "CB",
    "VISA": "Visa",
    "MASTERCARD": "Mastercard",
    "E-CARTEBLEUE": "e-Carte Bleue",
}


class Card(NamedTuple):
    """A test card: its effect in French, the `vads_` fields of it, its networks.

    `status`, `result` and `auth_result` are fields of the notification; the first network is the
    one that the card prefers.
    """

    words: str
    status: str
    result: str
    auth_result: str
    brands: tuple[str, ...] = ("CB", "VISA")


CARDS = {
    "4970100000000000": Card("Paiement accepté", "AUTHORISED", "00", "00"),
    "4970100000000055": Card("Refus : provision insuffisante", "REFUSED", "05", "51"),
    "4970100000000099": Card("Refus : cryptogramme faux", "REFUSED", "05", "05"),
    "4970100000000001": Card(
        "Accepté, à valider par la banque", "AUTHORISED_TO_VALIDATE", "00", "00"
    ),
    "5970100300000018": Card("Paiement accepté", "AUTHORISED", "00", "00", ("CB", "MASTERCARD")),
    "4973010000000004": Card("Paiement accepté", "AUTHORISED", "00", "00", ("E-CARTEBLEUE",)),
}


def offered(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the networks that a form offers: those it names, else all those of the contract."""
    named = fields.get("vads_payment_cards", "")
    return tuple(named.split(";")) if named else tuple(CONTRACT)


def network(card: Card, fields: Mapping[str, str]) -> str:
    """Return the network by which a card pays, "" if the form offers none of the card's."""
    allowed = offered(fields)
    return next((brand for brand in card.brands if brand in allowed), "")

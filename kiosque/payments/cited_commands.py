"""The ways out that a sentence names between brackets: a terminal reads the words of a command, and
a page puts those of its button in their place."""

from enum import StrEnum


class Way(StrEnum):
    """A way, by what is typed. A page's own words are in `kiosque/web/office/button_words.py`."""

    APPLY_CREDIT = "apply-credit"
    UNAPPLY_CREDIT = "unapply-credit"
    APPLY_OVERPAYMENT = "apply-overpayment"
    UNTRANSMIT = "untransmit"
    ENTER = "enter-payment"
    RESTORE = "restore-payment"
    GATEWAYS = "gateways"
    AMOUNT = "--amount"
    FAMILY = "--family"
    ATTEMPT = "--attempt"
    ELSEWHERE = "refund --elsewhere"
    TREASURY = "--mode treasury"
    EXTRA = "--yes, ou --overpayments d’un fichier"
    CORRECTIONS = "refund, restore-payment, apply-overpayment"

"""The commands that a sentence names between brackets: a terminal shows the command, a page shows
the words of its button instead."""

from enum import StrEnum


class Way(StrEnum):
    """A command, as it is typed. The words of the button are in
    `kiosque/web/office/button_words.py`."""

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

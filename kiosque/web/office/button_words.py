"""The French words of buttons: of the steps that are advised, and of the commands that a sentence
names."""

import re
from collections.abc import Mapping

from kiosque.language.formats import format_euros
from kiosque.payments.cited_commands import Way
from kiosque.payments.steps import Act, Blank, Step, Whose

_PRESSED: Mapping[Act, str] = {
    Act.RESOLVE: "Conclure",
    Act.GATEWAYS: "Voir les passerelles",
    Act.CLOSE: "Libérer les factures du paiement {about}",
    Act.CANCEL: "Annuler la facture {about}",
    Act.UNTRANSMIT: "Reprendre la facture {about} du Trésor public",
    Act.CHARGEBACK: "Noter l’impayé de {about}",
    Act.DROP_REFUND: "Abandonner la demande de remboursement de {about}",
    Act.REFUND: "Rembourser {cents} de {about} par la banque",
    Act.APPLY: "Payer une autre facture avec {about}",
    Act.RESTORE: "Rétablir {cents} de {about}",
    Act.ENTER: "Entrer le débit de {cents}",
}
_ENTERED: Mapping[Whose, str] = {
    Whose.ATTEMPT: ", pour ce paiement",
    Whose.INVOICE: ", pour une facture",
    Whose.FAMILY: ", pour une famille",
    Whose.UNKNOWN: ", sans savoir de quelle famille",
}


def pressed(step: Step) -> str:
    """Return the words of a step's button: a verb, and its amount where it is known."""
    words = _PRESSED[step.act]
    if step.act == Act.REFUND and step.elsewhere:
        words = "Noter {cents} de {about}, rendus sans passer par ici"
    if step.whose:
        words += _ENTERED[step.whose]
    about = "un paiement" if isinstance(step.about, Blank) else step.about
    return words.format(about=about, cents=_euros(step))


def _euros(step: Step) -> str:
    return format_euros(step.cents) if isinstance(step.cents, int) else "un montant"


#: The buttons and fields for each command; none if the sentence is clear without.
BUTTONS: Mapping[Way, tuple[str, ...]] = {
    Way.APPLY_CREDIT: ("Affecter l’avoir à une facture",),
    Way.UNAPPLY_CREDIT: ("Reprendre l’avoir",),
    Way.APPLY_OVERPAYMENT: ("Affecter le trop-perçu à une facture",),
    Way.UNTRANSMIT: ("Reprendre du Trésor public",),
    Way.ENTER: ("Entrer le débit",),
    Way.RESTORE: ("Rétablir ce qui n’est pas reparti",),
    Way.GATEWAYS: (),
    Way.AMOUNT: ("Montant",),
    Way.FAMILY: ("Entrer le débit, pour une famille",),
    Way.ATTEMPT: ("Entrer le débit, pour une famille",),
    Way.ELSEWHERE: ("Noter un remboursement fait autrement",),
    Way.TREASURY: (),
    Way.EXTRA: (),
    Way.CORRECTIONS: (
        "Noter un remboursement fait autrement",
        "Noter un impayé",
        "Affecter le trop-perçu à une facture",
    ),
}
_WAYS = re.compile(" \\((" + "|".join(re.escape(way) for way in Way) + ")\\)")


def on_page(sentence: str) -> str:
    """Return a sentence with the buttons of a page in place of the commands that it names."""
    return _WAYS.sub(_buttons, sentence)


def _buttons(way: re.Match[str]) -> str:
    pressed = ", ".join(f"«\u00a0{words}\u00a0»" for words in BUTTONS[Way(way[1])])
    return f" ({pressed})" if pressed else ""

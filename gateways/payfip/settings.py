"""The settings of a *régie* at PayFiP: as a town writes them, and as the adapter keeps them."""

import re
from dataclasses import dataclass

from gateways.http import Endpoint

ORIGIN = "https://www.payfip.gouv.fr"


@dataclass(frozen=True)
class Contract:
    """One *régie*, `numcli` at the DGFiP, in one `mode` (*saisie*).

    `exer` is the year of the debts, empty for the current one. Only the mock service has another
    `origin` than PayFiP, and may be `in_clear`.
    """

    numcli: str
    mode: str
    exer: str
    maximum_cents: int
    origin: str = ORIGIN
    in_clear: bool = False

    @property
    def service(self) -> Endpoint:
        return Endpoint(self.origin, in_clear=self.in_clear)


@dataclass(frozen=True)
class PayfipSettings:
    """The table `[gateways.NAME]` with `adapter = "payfip"`.

    `numcli` is text, to keep its zeros. `mode` is T (test: no money moves), X (the one real payment
    that activates the service) or W (production). `maximum_cents` is the most for one payment, by
    the convention with the DGFiP.
    """

    adapter: str
    numcli: str
    mode: str = "T"
    exer: str = ""
    maximum_cents: int = 999_999
    label: str = "PayFiP, service de la Direction générale des Finances publiques"

    def contract(self) -> Contract:
        """Return what the adapter keeps. Call it only if there are no faults."""
        return Contract(self.numcli, self.mode, self.exer, self.maximum_cents)

    def faults(self, environment: str) -> list[str]:
        """Return every fault, in French."""
        live = environment == "production"
        wanted = ("W", "X") if live else ("T",)
        modes = "W, ou X pour le paiement d’activation" if live else "T, où rien n’est débité"
        checks = {
            "numcli : attendu les 6 chiffres de votre convention PayFiP avec la DGFiP, entre "
            "guillemets et sans espace : le zéro du début compte": re.fullmatch(
                r"[0-9]{6}", self.numcli, re.ASCII
            ),
            f"mode : attendu {modes}, quand environment vaut {environment}": self.mode in wanted,
            "exer : attendu l’année de la dette, 4 chiffres entre guillemets, ou rien pour l’année "
            "en cours": re.fullmatch(r"(20[0-9]{2})?", self.exer, re.ASCII),
            "maximum_cents : attendu un nombre de centimes, de 100 à 9999999, que donne votre "
            "convention avec la DGFiP": 100 <= self.maximum_cents <= 9_999_999,
        }
        faults = [fault for fault, holds in checks.items() if not holds]
        return [*faults, *filter(None, [label_fault(self.label)])]


def label_fault(label: str) -> str:
    """Say in French why a payer cannot be shown this name; return "" if it can."""
    if label.strip() and len(label) <= 80 and label.isprintable():
        return ""
    return "label : attendu le nom montré au payeur, sur une ligne, 80 caractères au plus"

"""The letter that gives a family its activation code: one page, for a window envelope."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kiosque.language import catalogue, clock, formats
from kiosque.language.catalogue import gettext as _
from kiosque.papers.typesetting import postal, typeset
from kiosque.settings import Settings


@dataclass(frozen=True)
class Letter:
    """What one family is told. `activation_code` is written as it is to be typed; it works
    until the end of `expires_on` (a Paris date). `site` is the address to type in a browser."""

    recipient: str
    address: tuple[str, ...]
    family_code: str
    activation_code: str
    expires_on: date
    site: str
    language: str = catalogue.SOURCE


def letters(settings: Settings, to_write: Iterable[Letter]) -> bytes:
    """All these letters as one PDF, a page each. Raises ValueError when there is none."""
    written = [_words(settings, letter) for letter in to_write]
    if not written:
        raise ValueError("aucune lettre")
    return typeset(
        "letters",
        settings,
        {
            "title": _("Codes d’activation"),
            "numbered": False,
            "letters": written,
        },
    )


def _words(settings: Settings, letter: Letter) -> dict[str, object]:
    with catalogue.using(letter.language):
        return {
            "language": letter.language,
            "recipient": postal([letter.recipient, *letter.address]),
            "dated": _("%(city)s, le %(date)s")
            % {
                "city": settings.town.city or settings.town.name,
                "date": formats.long_date(clock.today()),
            },
            "title": _("Votre espace Kiosque Famille"),
            "opening": [
                _("Madame, Monsieur,"),
                _(
                    "Un espace en ligne vous est ouvert, à vous seuls. Vous y voyez vos factures, "
                    "vous les réglez par carte bancaire sur la page de la banque, et vous y "
                    "gardez vos reçus."
                ),
            ],
            "codes": [
                [_("Votre code famille\u00a0: "), letter.family_code],
                [_("Votre code d’activation\u00a0: "), letter.activation_code],
            ],
            "steps_title": _("Pour ouvrir votre espace"),
            "steps": [
                [_("Dans un navigateur, sur un téléphone ou un ordinateur, tapez l’adresse\u00a0:"),
                 letter.site],
                [_("Recopiez votre code famille et votre code d’activation."), ""],
                [_("Choisissez votre mot de passe. Vous seuls le connaîtrez."), ""],
            ],
            "closing": [
                _(
                    "Le code d’activation sert une seule fois, jusqu’au %(date)s. "
                    "Ne le donnez à personne\u00a0: la mairie ne vous le demandera jamais."
                )
                % {"date": formats.long_date(letter.expires_on)},
                _(
                    "Une question, un code perdu ou dépassé\u00a0? "
                    "Contactez-nous\u00a0: %(contacts)s."
                )
                % {"contacts": ", ".join(_contacts(settings))},
            ],
            "signed": settings.town.service,
        }  # fmt: skip


def _contacts(settings: Settings) -> list[str]:
    return [line for line in (settings.town.phone, settings.town.contact_email) if line]

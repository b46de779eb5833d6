"""Commands: give families their passwords or activation letters."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from kiosque import os_errors
from kiosque.cli.entry import CommandFault, NamedPath, main, with_database
from kiosque.db.models import Family
from kiosque.families import accounts, security_log
from kiosque.families.codes import normalise_family_code
from kiosque.families.security_log import Event
from kiosque.language import clock, formats
from kiosque.language.formats import counted
from kiosque.papers import activation_letters
from kiosque.settings import Settings

#: The status of `letters --all` when families without an address got no letter.
SOME_LEFT_OUT = 3


@main.command()
@click.argument("codes", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Toutes les familles sans mot de passe.")
@click.option("--final", is_flag=True, help="Ne pas en demander un autre à la première connexion.")
@with_database
def password(settings: Settings, codes: tuple[str, ...], *, everyone: bool, final: bool) -> None:
    """Donne un nouveau mot de passe à des familles et l’affiche, cette seule fois.

    L’ancien ne sert plus et les sessions ouvertes sont fermées.
    """
    families = _families(codes, everyone=everyone)
    if final and settings.environment == "production":
        raise CommandFault("--final est réservé à la démonstration et aux essais.")
    for family in families:
        secret = accounts.issue_password(family, must_change=not final)
        security_log.note(Event.PASSWORD_ISSUED, family, address="")
        click.echo(f"code famille : {family.code}  mot de passe : {secret}")
    if families and not final:
        until = formats.long_date(clock.paris_date(clock.now() + accounts.PROVISIONAL))
        click.echo(f"Valable jusqu’au {until} : d’ici là, la famille choisit le sien.")


def _families(codes: Iterable[str], *, everyone: bool) -> list[Family]:
    """Return the families of these codes; with `everyone`, those without a password too."""
    wanted = [normalise_family_code(code) for code in codes]
    families = list(Family.select().where(Family.code.in_(wanted)).order_by(Family.code))
    unknown = set(wanted) - {family.code for family in families}
    if unknown:
        raise CommandFault(f"Code famille inconnu : {', '.join(sorted(unknown))}")
    if gone := [family.code for family in families if family.forgotten_at]:
        raise CommandFault(f"Famille oubliée, sans compte : {', '.join(gone)}")
    if away := [family.code for family in families if family.archived_at]:
        raise CommandFault(
            f"Famille archivée : {', '.join(away)}. Rétablissez-la d’abord sur sa fiche."
        )
    if everyone:
        without = accounts.families_without_password()
        families += [family for family in without if family not in families]
    return families


@main.command("letters")
@click.argument("codes", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Toutes les familles sans mot de passe.")
@click.option(
    "--output",
    type=NamedPath(dir_okay=False, allow_dash=True),
    help="Le PDF à écrire, - pour la sortie standard ; par défaut letters/lettres-AAAA-MM-JJ.pdf "
    "dans KIOSQUE_DATA.",
)
@click.option(
    "--forget-email",
    is_flag=True,
    help="Quelqu’un a pris la place de la famille : son mot de passe, ses sessions et l’adresse "
    "choisie en ligne ne servent plus.",
)
@with_database
def letters_(
    settings: Settings,
    codes: tuple[str, ...],
    *,
    everyone: bool,
    output: Path | None,
    forget_email: bool,
) -> None:
    """Écrit les lettres qui donnent à des familles leur code d’activation, en un seul PDF.

    Le code d’une lettre précédente ne sert plus. Le mot de passe en cours, lui, sert toujours
    (sauf avec --forget-email), jusqu’à ce que la famille en choisisse un autre avec sa lettre.
    Un PDF qui existe déjà n’est jamais remplacé.

    Avec --all, les familles sans adresse postale sont nommées, sans lettre, et le statut est 3 ;
    « letters CODE » écrit quand même la leur, à remettre en main propre.
    """
    families, left_out = _families(codes, everyone=everyone), list[Family]()
    if everyone:
        left_out = [each for each in families if not _has_address(each)]
        families = [each for each in families if _has_address(each)]
    try:
        if families or not left_out:
            _write_letters(settings, families, output, forget_email=forget_email)
    finally:
        _name_left_out(left_out)
    if left_out:
        raise SystemExit(SOME_LEFT_OUT)


def _has_address(family: Family) -> bool:
    return bool(family.address and family.postcode and family.city)


def _name_left_out(families: Sequence[Family]) -> None:
    for family in families:
        click.echo(
            f"Sans adresse complète, pas de lettre : {family.code} {family.name}".rstrip(), err=True
        )


def _write_letters(
    settings: Settings, families: Sequence[Family], output: Path | None, *, forget_email: bool
) -> None:
    if not families:
        raise CommandFault("Aucune famille. Donnez des codes famille, ou --all.")
    output = output or _letters_folder(settings) / f"lettres-{clock.today()}.pdf"
    to_stream = output == Path("-")
    target: Path | BinaryIO = sys.stdout.buffer if to_stream else output
    try:
        lacking = activation_letters.issue(settings, families, target, forget_email=forget_email)
    except activation_letters.CannotWrite as error:
        raise CommandFault(str(error)) from None
    count = counted(len(families), "lettre")
    name = "sortie standard" if to_stream else output
    click.echo(
        f"{name} : {count}. Imprimez-le, puis effacez-le : il ouvre des comptes.", err=to_stream
    )
    for letter, characters in lacking:
        click.echo(
            f"Imprimé avec des cases vides, faute de police pour « {characters} » : "
            f"{letter.family_code} {letter.recipient}",
            err=True,
        )


def _letters_folder(settings: Settings) -> Path:
    folder = settings.data / "letters"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFault(f"{folder} ne peut pas être créé ({os_errors.why(error)}).") from None
    return folder

"""Commands: forget what is past its time; export or erase what is held about one family."""

from pathlib import Path

import click

from kiosque import privacy, resources
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import CommandFault, NamedPath, main, with_database
from kiosque.db.models import Family
from kiosque.db.states import PrivacyActKind
from kiosque.families.codes import normalise_family_code
from kiosque.invoices.imports.reading import CODE, quoted
from kiosque.language import formats
from kiosque.language.formats import counted
from kiosque.privacy import acts
from kiosque.privacy.dues import dues
from kiosque.privacy.free_words import naming
from kiosque.settings import Settings


@main.command("forget")
@click.option("--yes", is_flag=True, help="Le faire ; sinon, dire seulement ce qui serait fait.")
@click.option("--dry-run", is_flag=True, help="Dire ce qui serait fait : sans option, c’est ainsi.")
@click.option("--journal", is_flag=True, help="Montrer ce qui a été oublié, exporté ou effacé.")
@with_database
def forget_(settings: Settings, *, yes: bool, dry_run: bool, journal: bool) -> None:
    """Oublie ce qui a fait son temps : familles parties, journaux, courriels, vieux comptes.

    Une famille est partie quand, depuis forget_after_years ans, elle n’a ni facture, ni paiement,
    ni connexion, ni demande, ni enfant inscrit dans un fichier chargé. Ses comptes restent dix
    ans, ses noms réduits à des initiales.
    """
    if yes + dry_run + journal > 1:
        raise CommandFault("Donnez une seule option : --yes, --dry-run ou --journal.")
    if journal:
        _show_journal()
        return
    found = privacy.forget(settings, really=yes)
    years = settings.legal.forget_after_years
    _tell(found, years, silent=yes)
    if not yes:
        click.echo(f"Rien n’a été fait. Pour oublier tout cela : {resources.typed('forget --yes')}")


def _tell(found: privacy.Forgotten, years: int, *, silent: bool) -> None:
    """Say what was found; nothing of what is not there when a timer asks."""
    for code, reasons in found.kept.items():
        click.echo(f"Famille {code}, partie mais gardée : {' ; '.join(reasons)}.")
    if found.families or not silent:
        codes = f" ({', '.join(found.families)})" if found.families else ""
        number = counted(len(found.families), "famille")
        click.echo(f"Parties depuis {counted(years, 'an')} : {number}{codes}.")
    for words, count in found.counts.items():
        if count or not silent:
            click.echo(f"{words[0].upper()}{words[1:]} : {count}.")


def _show_journal() -> None:
    for act in acts.read():
        words = acts.WORDS[PrivacyActKind(act.kind)]
        why = " : ".join(filter(None, (act.author, act.reason)))
        said = f"{words} ({why})" if why else words
        click.echo(f"{formats.long_instant(act.at)}  {act.family.code}  {said}")


@main.command("export-family")
@click.argument("code")
@click.option(
    "--output",
    type=NamedPath(file_okay=False),
    help="Dossier où écrire ; par défaut exports dans KIOSQUE_DATA.",
)
@AUTHOR
@with_database
def export_family(settings: Settings, code: str, output: Path | None, author: str) -> None:
    """Écrit tout ce qui est gardé d’une famille : une page à lire, du JSON, ses factures en PDF.

    Le dossier, dont le nom est affiché, n’est lisible que par vous. Remettez-le à la famille, puis
    effacez-le ; celui de KIOSQUE_DATA l’est par « forget » après trente jours.
    """
    family = _family(code)
    try:
        folder = privacy.export(settings, family, output or settings.data / "exports", author)
    except privacy.CannotExport as error:
        raise CommandFault(str(error)) from None
    click.echo(folder)


@main.command("erase-family")
@click.argument("code")
@AUTHOR
@click.option("--reason", required=True, help="La demande, sans le nom : « courriel du 3 mars ».")
@click.option("--credit-notes-settled", is_flag=True, help="Ses avoirs ont été rendus ou employés.")
@click.option("--yes", is_flag=True, help="L’effacer : on ne peut pas revenir en arrière.")
@with_database
def erase_family(
    _settings: Settings,
    code: str,
    author: str,
    reason: str,
    *,
    credit_notes_settled: bool,
    yes: bool,
) -> None:
    """Efface une famille qui le demande : fiche, compte, adresses, demandes, courriels.

    Refusé tant que de l’argent est dû, dans un sens ou dans l’autre. La loi fait garder dix ans ses
    factures et ses paiements : ses noms y sont réduits à des initiales.
    """
    family = _family(code)
    if family.forgotten_at:
        day = formats.long_instant(family.forgotten_at)
        raise CommandFault(f"La famille {family.code} est oubliée depuis le {day}.")
    due = dues(family, credit_notes=not credit_notes_settled)
    if due:
        raise CommandFault(_refusal(family, due))
    kept = naming(family)
    if not yes:
        _tell_kept(kept)
        raise CommandFault(
            f"Rien n’a été fait. Pour effacer la famille {family.code}, sans retour possible, "
            f"ajoutez --yes. Avant, {resources.typed('export-family')} écrit ce qui en est gardé."
        )
    try:
        privacy.erase(family, author, reason, credit_notes=not credit_notes_settled)
    except privacy.CannotErase as error:
        raise CommandFault(_refusal(family, error.reasons)) from None
    click.echo(
        f"Famille {family.code} effacée. Retirez-la aussi de votre logiciel : ses fichiers la "
        "ramèneraient. Si une sauvegarde d’avant est restaurée, effacez-la de nouveau."
    )
    _tell_kept(kept)


def _tell_kept(texts: list[str]) -> None:
    """Say which words of the accounts name the family, and stay."""
    if texts:
        click.echo("Ces textes des comptes citent un de ses noms, et restent (docs/legal.md) :")
        click.echo("\n".join(f"- {quoted(text)}" for text in texts))


def _refusal(family: Family, due: list[str]) -> str:
    lines = "\n".join(f"- {reason}" for reason in due)
    return f"La famille {family.code} ne peut pas être effacée. Réglez d’abord :\n{lines}"


def _family(code: str) -> Family:
    """Return the family of a code, however typed. Raises CommandFault."""
    typed = normalise_family_code(code)
    family: Family | None = None
    if CODE.fullmatch(typed):
        family = Family.get_or_none(Family.code == typed)
    if family is None:
        raise CommandFault(f"Code famille inconnu : {quoted(code)}")
    return family

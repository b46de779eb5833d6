"""Commands: load a file of invoices, families or counter payments; list loads, undo one."""

from pathlib import Path

import click

from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import ROW, CommandFault, main, progress_bar, with_database
from kiosque.db.models import ImportBatch
from kiosque.invoices import imports
from kiosque.invoices.imports import undo_log, undoing
from kiosque.invoices.imports.reading import COLUMNS, DEBTORS, quoted
from kiosque.language.formats import counted, format_euros, long_instant
from kiosque.settings import Settings

#: Most items of a list that are shown.
SHOWN = 20
#: The option that confirms each surprise.
_OPTIONS = {
    "new_services": "--new-services",
    "new_families": "--new-families",
    "removals": "--allow-removals",
}


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--preview", is_flag=True, help="Vérifie et dit ce qui serait fait, sans rien écrire."
)
@click.option(
    "--new-services",
    is_flag=True,
    help="Accepte les prestations jamais vues, quand la ville a plusieurs régies.",
)
@click.option(
    "--new-families",
    is_flag=True,
    help="Accepte les codes famille inconnus, quand les familles ont été chargées.",
)
@click.option(
    "--allow-removals",
    "removals",
    is_flag=True,
    help="Accepte que des personnes, des dates ou des inscriptions soient retirées.",
)
@click.option(
    "--overpayments",
    is_flag=True,
    help="Accepte des encaissements de factures déjà payées : ce sont des trop-perçus.",
)
@AUTHOR
@with_database
def import_(
    settings: Settings, file: Path, author: str, *, preview: bool, **confirmed: bool
) -> None:
    """Charge un fichier : factures, familles ou encaissements ; CSV, classeur, PES, JVS, Magnus.

    Tout ou rien : une seule ligne fausse et rien n’est chargé. Recharger le même fichier est
    sans effet. Les formats sont décrits dans docs/import.md.
    """
    load_file(settings, file, author, preview=preview, **confirmed)


def load_file(
    settings: Settings, file: Path, author: str, *, preview: bool = False, **confirmed: bool
) -> None:
    """Load a file, or say what that would do. Raise CommandFault, with the faults said."""
    try:
        summary = imports.load(
            file,
            pdf_folder=settings.data / "pdf",
            closes_after_days=settings.payment.closes_after_days,
            rules=imports.Rules.of(settings.payment),
            regies=settings.regies_by_key,
            preview=preview,
            confirmed=imports.Confirmed(**confirmed),
            progress=progress_bar,
            author=author,
        )
    except imports.BadFile as error:
        for fault in error.faults:
            click.echo(f"{_name(file)}{',' if fault.line else ' :'} {_said(fault)}", err=True)
        raise CommandFault(_what_to_say(error) + "Rien n’a été chargé.") from None
    click.echo(describe(file, summary, preview=preview))
    for key, cents in sorted(summary.regies.items()) if settings.regies else ():
        click.echo(f"{settings.regie_named(key).name} : {format_euros(cents)}")


@main.command("imports")
@with_database
def imports_(_settings: Settings) -> None:
    """Montre les fichiers chargés, le dernier en bas : numéro, jour, sorte, nom, lignes, auteur."""
    for batch in ImportBatch.select().order_by(ImportBatch.id):
        by = f", par {batch.author}" if batch.author else ""
        click.echo(
            f"{batch.id}  {long_instant(batch.imported_at)}  {batch.kind}, "
            f"{quoted(batch.file_name)}, {counted(batch.row_count, 'ligne')}{by}{_state(batch)}"
        )


def _state(batch: ImportBatch) -> str:
    if batch.undone_at:
        return (
            f". Annulé le {long_instant(batch.undone_at)} par {batch.undone_by} : "
            f"{batch.undo_reason}"
        )
    return ". Peut être annulé." if undo_log.is_kept(batch) else ""


@main.command("undo-import")
@click.argument("number", type=ROW)
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi.")
@with_database
def undo_import(settings: Settings, number: int, author: str, reason: str) -> None:
    """Annule le chargement de numéro NUMBER (« imports ») : tout redevient comme avant.

    Refusé dès qu’une de ses factures est payée, annulée, à la banque ou annoncée par courriel, ou
    qu’un chargement plus récent a changé les mêmes familles. Des encaissements ne s’annulent pas.
    """
    batch = undoing.undo(number, author, reason, settings.data / "pdf")
    click.echo(f"Chargement n° {batch.id} annulé : {quoted(batch.file_name)}.")


def _said(fault: imports.Fault) -> str:
    """Return the text of a fault, with the option that confirms it if there is one."""
    if fault.needs and fault.text.endswith(" confirmez."):
        return f"{str(fault).removesuffix('.')} par {_OPTIONS[fault.needs]}."
    return str(fault)


def _what_to_say(refusal: imports.BadFile) -> str:
    """Name the command by which a person says what the file does not."""
    needs = {fault.needs for fault in refusal.faults}
    if DEBTORS in needs:
        return "Dites de quelles familles il s’agit : « codes list », puis « codes confirm ».\n"
    return "D’un autre tableau, dites les colonnes : « map FILE ».\n" if COLUMNS in needs else ""


def _name(file: Path) -> str:
    return "entrée standard" if file == Path("-") else file.name


def describe(file: Path, summary: imports.FileSummary, *, preview: bool) -> str:
    """Say in French how much a file holds and how much of it is new."""
    amount = f" ({format_euros(summary.total_cents)})" if summary.total_cents else ""
    of = "d’" if summary.kind == "encaissements" else "de "
    text = (
        f"{_name(file)} : fichier {of}{summary.kind}, {counted(summary.rows, 'ligne')}. "
        f"{'À charger' if preview else 'Chargé'} : {summary.added}{amount}. "
        f"Déjà là : {summary.unchanged}."
    )
    if summary.nothing_due:
        text += f"\nAvoirs et factures à zéro, rien à payer : {summary.nothing_due}"
    if summary.new_families:
        text += f"\nFamilles nouvelles : {summary.new_families}"
    if summary.new_services:
        text += f"\nPrestations nouvelles : {', '.join(summary.new_services)}"
    for number in summary.left_since[:SHOWN]:
        text += (
            f"\nFacture {number} : encaissement déjà connu, dont l’argent ne la paie plus ; pour "
            "un nouveau, donnez un autre motif"
        )
    return text + _to_look_at(summary)


def _to_look_at(summary: imports.FileSummary) -> str:
    """Say in French what somebody should look at, a line each."""
    text = ""
    for warning in summary.warnings:
        text += f"\nÀ vérifier, {warning}"
    if codes := summary.without_email:
        more = "…" if len(codes) > SHOWN else ""
        named = f"{', '.join(codes[:SHOWN])}{more}"
        text += f"\nFamilles sans courriel utilisable : {len(codes)} ({named})"
    for spelt, name in summary.joined_services:
        text += f"\nPrestation « {spelt} » : c’est « {name} »"
    if children := summary.joined_children:
        text += f"\nEnfants reconnus sous une autre écriture : {len(children)}"
        for code, spelt, name in children[:SHOWN]:
            text += f"\n- {code} : « {spelt} », c’est « {name} »"
    if summary.absent:
        text += (
            f"\nFactures retirées, chargées avant et absentes de ce fichier : {len(summary.absent)}"
        )
        for each in summary.absent:
            amount = format_euros(each.total_cents)
            text += f"\n- {each.number}, famille {each.code} : {amount}, {each.state}"
        text += "\nRien ne leur est fait. Si la ville n’en veut plus : « cancel-invoice NUMBER »."
    if summary.removals:
        text += "\n".join((f"\nRetraits : {len(summary.removals)}", *summary.removals))
    return text

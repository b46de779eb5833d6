"""Command: go from the trial to the opening, step by step. It reads in the books which steps are
done, so it can be run again at any time, and continues from there."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import click
from peewee import fn

from kiosque import backups, db, resources
from kiosque.backups import drill, making, restoring
from kiosque.checkup import runner
from kiosque.checkup.findings import Level
from kiosque.cli.backups import faults_said
from kiosque.cli.entry import CommandFault, main, read_settings, require_yes
from kiosque.db import deployment, leases, presence
from kiosque.db.models import Account, Family, Invoice, Token
from kiosque.families.tokens import Purpose
from kiosque.invoices import imports, trial
from kiosque.invoices.trial import Stage
from kiosque.language.formats import counted
from kiosque.settings import Settings

#: The exit status while steps are left.
NOT_YET = 3
_WHY = '--reason "essai d’ouverture"'


@dataclass(frozen=True)
class OpeningStep:
    """A step of the walk. `left` returns what a human has to do, in French; nothing once it is
    done."""

    title: str
    left: Callable[[], str]


@main.command("open")
@click.option("--yes", is_flag=True, help="Met de côté la base de l’essai sans demander.")
def open_(*, yes: bool) -> None:
    """Mène de l’essai à l’ouverture, pas à pas (docs/ouverture.md).

    Base neuve, familles et factures, lettres, un vrai paiement de 1 € remboursé, sauvegarde
    essayée, check. Fait ce qui peut l’être, dit le reste, et reprend où l’on en est. Code de
    sortie : 3 tant qu’il reste quelque chose à faire.
    """
    settings = read_settings()
    if settings.environment != "production":
        raise CommandFault(
            f'les réglages disent environment = "{settings.environment}". Écrivez ceux du vrai '
            "site (production, https, la clé et le mode de production de la banque), puis "
            "relancez : docs/ouverture.md."
        )
    with faults_said("L’ouverture s’arrête là"):
        _make_base(settings, yes=yes)
        with presence.at_work(settings), db.connection():
            deployment.require(settings.environment)
            walk(settings)


def _make_base(settings: Settings, *, yes: bool) -> None:
    """Make the database of the real site; that of a trial is put aside."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o750)
    with db.connection():
        db.require_known()
        found, made_at = deployment.environment(), db.created_at()
    if found == settings.environment:
        return
    if made_at and not found:
        raise CommandFault(
            "cette base ne dit pas si elle est d’un essai. Si elle est celle du vrai site : "
            f"« {resources.typed('migrate')} », puis relancez."
        )
    if found and not yes:
        require_yes("Mettre de côté la base de l’essai, et en faire une neuve ?")
    with presence.alone(settings):
        if found:
            click.echo(f"La base de l’essai est dans {restoring.set_aside(settings)}")
        with db.connection():
            db.migrate()
            deployment.note(settings.environment)


def walk(settings: Settings) -> None:
    """Say each step that is done, then the first that is not and what to do about it."""
    for step in steps(settings):
        if left := step.left():
            click.echo(f"→ {step.title}\n  {left}\n  Ensuite : « {resources.typed('open')} ».")
            raise SystemExit(NOT_YET)
        click.echo(f"✓ {step.title}")
    click.echo(
        f"Tout est prêt : annoncez {settings.public_url} aux familles, et gardez les minuteries "
        "(docs/exploitation.md)."
    )


def steps(settings: Settings) -> Iterator[OpeningStep]:
    """Yield the steps in their order."""
    yield OpeningStep("Base neuve, du vrai site", str)
    yield OpeningStep("Familles et factures chargées", _no_invoices)
    yield OpeningStep("Lettres faites", _no_letters)
    for gateway in dict.fromkeys(settings.gateways_in_force):
        yield OpeningStep(f"Vrai paiement de 1 € ({gateway})", partial(_paid, settings, gateway))
    yield OpeningStep("Sauvegarde faite, emportée, et essayée", partial(_backed_up, settings))
    yield OpeningStep("check", _checked)


def _no_invoices() -> str:
    if Invoice.select().join(Family).where(Family.code != trial.CODE).exists():
        return ""
    return (
        f"« {resources.typed('import')} familles.csv », puis « {resources.typed('import')} "
        "factures.csv » : les fichiers d’aujourd’hui, pas ceux de l’essai."
    )


def _no_letters() -> str:
    ways = (
        Token.select(fn.COUNT(Token.id)).where(Token.purpose == Purpose.ACTIVATION),
        Account.select(fn.COUNT(Account.id)),
    )
    if any(query.scalar() for query in ways):
        return ""
    families = counted(Family.select().where(Family.code != trial.CODE).count(), "famille")
    return f"{families} sans code d’activation : « {resources.typed('letters --all')} »."


def _paid(settings: Settings, gateway: str) -> str:
    """Return what is left of the payment of 1 €: pay, give back, cancel what is due again."""
    try:
        found = trial.last(gateway)
        if found.stage == Stage.NONE:
            found = trial.obtain(settings, gateway)
    except imports.BadFile as error:
        raise CommandFault(f"la facture de 1 € n’a pas pu être faite : {error}") from None
    number = found.invoice.number if found.invoice else ""
    if found.stage in (Stage.TO_PAY, Stage.AT_BANK):
        return _pay(settings, number)
    if found.stage in (Stage.PAID, Stage.ASKED):
        return (
            "Il est arrivé. Rendez-le, et voyez-le revenir sur le compte : "
            f"« {resources.typed(f'refund {number}')} {_WHY} » (--elsewhere si la banque ne "
            "rembourse pas par le site)."
        )
    if found.stage == Stage.GIVEN_BACK:
        return f"Il est rendu. « {resources.typed(f'cancel-invoice {number}')} {_WHY} »."
    return ""


def _pay(settings: Settings, number: str) -> str:
    return (
        f"Facture {number}, de 1 € : « {resources.typed(f'password {trial.CODE}')} » affiche un "
        f"mot de passe ; entrez par {settings.public_url}/connexion, et payez-la avec une vraie "
        "carte."
    )


def _backed_up(settings: Settings) -> str:
    if leases.finished_at(backups.MADE) is None or (
        settings.backup.offsite and leases.finished_at(backups.SENT) is None
    ):
        made = making.make(settings, os.environ, settings.backups_folder)
        if made.troubles:
            return f"{' ; '.join(made.troubles)}. Corrigez-le (docs/exploitation.md)."
    if leases.finished_at(backups.TRIED) is None:
        tried = drill.drill(settings, os.environ)
        if tried.faults:
            return "\n  ".join(tried.faults)
    return ""


def _checked() -> str:
    results = runner.run(os.environ)
    broken = [result.subject for result in results if result.level == Level.BROKEN]
    if not broken:
        return ""
    return f"En panne : {', '.join(broken)}. « {resources.typed('check')} » dit quoi faire."

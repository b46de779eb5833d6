"""Command: pass the machine to another version, or back."""

import contextlib
import os
from pathlib import Path

import click

from kiosque import resources
from kiosque import upgrade as upgrading
from kiosque.cli.entry import CommandFault, main


@main.command()
@click.argument("version", required=False)
@click.option("--back", is_flag=True, help="Revient à la version d’avant.")
@click.option(
    "--losing", is_flag=True, help="Avec --back : perd les paiements venus depuis de la base."
)
def upgrade(version: str | None, *, back: bool, losing: bool) -> None:
    """Passe toutes les villes de la machine à la version VERSION, ou revient.

    VERSION est un numéro, un dossier ou une archive (.tar.gz). À lancer sous root, sur une machine
    installée par deploy/install. Si une étape échoue, la version d’avant est remise en service, sur
    les bases d’avant (docs/exploitation.md).
    """
    if bool(version) == back:
        raise CommandFault("Nommez la version, ou --back.")
    machine = upgrading.Machine(Path(os.environ.get("DESTDIR") or "/"))
    try:
        if os.geteuid():
            raise upgrading.Failed("À lancer sous root.")
        if version is None:
            with machine.alone():
                upgrading.back(machine, _say, losing=losing)
        else:
            _pass_to(machine, version)
    except upgrading.Failed as error:
        raise CommandFault(str(error)) from None


def _pass_to(machine: upgrading.Machine, version: str) -> None:
    """Install the version beside the others, and hand over to its own code, which knows what it
    changes."""
    own = resources.SOURCE_TREE or Path()
    machine.require()
    if not (machine.versions / version / ".whole").exists():
        version = machine.bring(upgrading.Version(own), version)
    new = machine.version(version)
    if new.folder.resolve() == own:
        with machine.alone():
            upgrading.upgrade(machine, version, _say)
    else:
        os.execv(new.python, [new.python, f"{new.folder}/app.py", "upgrade", version])  # noqa: S606


def _say(text: str) -> None:
    """Print a line; ignore a terminal that has gone, which must not stop an upgrade."""
    with contextlib.suppress(OSError):
        click.echo(text)

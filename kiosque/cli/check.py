"""Commands: check the whole installation."""

import os
import shutil
import sys

import click

from kiosque.checkup import report, runner
from kiosque.cli.entry import main
from kiosque.version import VERSION


@main.command()
@click.option("--strict", is_flag=True, help="Échoue aussi pour ce qui est seulement à regarder.")
@click.option("--json", "as_json", is_flag=True, help="Pour un script.")
def check(*, strict: bool, as_json: bool) -> None:
    """Vérifie toute l’installation et dit quoi faire, sans rien changer.

    Réglages, clés, horloge, base, comptes, disque, courriel, minuteries, sauvegarde, adresse
    publique, notification, banque ; en 40 secondes au plus. Code de sortie : 0 si rien n’est en
    panne, 1 sinon (docs/check.md).
    """
    results = runner.run(os.environ)
    colour = _is_terminal() and not os.environ.get("NO_COLOR")
    columns = min(shutil.get_terminal_size((100, 24)).columns, 100)
    told = report.as_text(results, colour=colour, columns=columns)
    click.echo(report.as_json(results) if as_json else f"Kiosque Famille {VERSION}\n\n{told}")
    if runner.fails(results, strict=strict):
        raise SystemExit(1)


def _is_terminal() -> bool:
    return sys.stdout.isatty()

"""Commands: write the text of a legal page, for the town to change."""

import click

from kiosque.cli.entry import CommandFault, main, with_database
from kiosque.settings import Settings, loading
from kiosque.web import legal


@main.command("text")
@click.argument("name", type=click.Choice(list(legal.TITLES)))
@with_database
def text_(settings: Settings, name: str) -> None:
    """Écrit le texte d’une page légale dans KIOSQUE_DATA/texts, pour le modifier.

    Le site montre ce fichier dès son prochain démarrage. Le supprimer rend le texte d’origine.
    """
    path = settings.data / "texts" / f"{name}.md"
    if path.exists():
        raise CommandFault(f"{path} existe déjà.")
    path.parent.mkdir(parents=True, exist_ok=True)
    gateways = loading.gateways_of(settings)
    pages = legal.LegalPages(settings, {}, legal.banks_given_email(settings, gateways))
    path.write_text(pages.default(name), encoding="utf-8")
    click.echo(path)

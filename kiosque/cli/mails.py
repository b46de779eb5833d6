"""Commands: send the mails, and list or retry those that do not leave."""

import click

from kiosque import chores, resources
from kiosque.cli.entry import ROW, main, say_unless_idle, with_database
from kiosque.db.states import MailState
from kiosque.language import clock, formats
from kiosque.language.formats import counted
from kiosque.mails import rendering
from kiosque.outbox import queue
from kiosque.settings import Settings

#: Exit status of `send-mail` when a mail did not leave.
NOT_SENT = 3


@main.command("send-mail")
@with_database
def send_mail(settings: Settings) -> None:
    """Envoie les courriels en attente. À lancer chaque minute par une minuterie.

    Prépare d’abord les avis, rappels et relances dont c’est le moment (docs/mail.md).

    Code de sortie : 0 ; 1, rien n’a pu être fait ; 3, un courriel n’est pas parti, il sera renvoyé
    ou « mails » le dit abandonné.
    """
    sent, failed = chores.send_mail(settings)
    words = f"{counted(sent, 'envoyé')}, {failed} en échec, {queue.count_waiting()} en attente."
    if lost := queue.count_given_up():
        mails = resources.typed("mails")
        words += f"\n{counted(lost, 'abandonné')} : « {mails} » les liste."
    say_unless_idle(words, idle=not (sent or failed))
    if failed:
        raise SystemExit(NOT_SENT)


@main.command("mails")
@click.option("--retry", "ids", type=ROW, multiple=True, help="Numéro d’un courriel à renvoyer.")
@click.option("--retry-all", is_flag=True, help="Renvoyer tous ceux qui sont abandonnés.")
@with_database
def mails(_settings: Settings, ids: tuple[int, ...], *, retry_all: bool) -> None:
    """Liste les courriels qui ne sont pas partis, et pourquoi. Aucune adresse n’est affichée.

    Corrigez d’abord ce qui est en cause : l’adresse de la famille, ou les réglages [mail].
    """
    if ids or retry_all:
        click.echo(f"{queue.requeue(None if retry_all else ids)} remis en attente.")
    for row in queue.troubled():
        family = rendering.family_of(row)
        state = "abandonné" if row.state == MailState.FAILED else "en attente"
        day = formats.short_date(clock.paris_date(row.queued_at))
        code = family.code if family else ""
        cells = (
            row.id,
            day,
            state,
            rendering.words_of(row),
            code,
            counted(row.tries, "essai"),
            row.last_error,
        )
        click.echo("\t".join(map(str, cells)))
    click.echo(
        f"{counted(queue.count_given_up(), 'abandonné')}, {queue.count_waiting()} en attente."
    )

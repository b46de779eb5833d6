"""Write the mails of `alerts`: what is new, over, or goes on, and when the next one comes."""

from collections.abc import Iterator, Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from kiosque import resources
from kiosque.checkup import services
from kiosque.checkup.findings import WORDS, Level, Result
from kiosque.checkup.installation import Installation
from kiosque.checkup.news import News, next_weekly
from kiosque.language import clock, formats
from kiosque.monitoring.memory import ToldTrouble
from kiosque.outbox import addresses
from kiosque.settings.rules import WEEKDAYS
from kiosque.version import VERSION


def write(installation: Installation, results: Sequence[Result], news: News) -> EmailMessage:
    """Return the mail, from the town's own sender to its technical address."""
    if installation.mail is None:
        raise ValueError("no mail settings")
    message = EmailMessage()
    name = installation.town or "Kiosque Famille"
    message["From"] = Address(name, addr_spec=addresses.kept(installation.mail.sender))
    message["To"] = Address(addr_spec=addresses.kept(installation.technical_email))
    message["Subject"] = f"[{name}] {_subject(news)}"
    message["Date"] = format_datetime(clock.now())
    lines = [*_lines(results, news), *_journals(installation, news), "", *_ending(installation)]
    head = f"Kiosque Famille {VERSION}, {name}, {installation.public_url}"
    message.set_content("\n".join([head, *lines, ""]), cte="quoted-printable")
    return message


def _subject(news: News) -> str:
    if news.fresh:
        worst = max(told.level for told in news.fresh.values())
        return f"{WORDS[Level(worst)].capitalize()} : {_subjects(news.fresh)}"
    if news.over:
        return f"Fini : {_subjects(news.over)}"
    if news.still:
        return f"Toujours en cours : {_subjects(news.still)}"
    return "Tout va bien"


def _subjects(troubles: Mapping[str, ToldTrouble]) -> str:
    return ", ".join(dict.fromkeys(told.subject for told in troubles.values()))


def _lines(results: Sequence[Result], news: News) -> Iterator[str]:
    advices = {(it.subject, each.what): each.advice for it in results for each in it.troubles}
    for title, troubles in (
        ("Nouveau", news.fresh),
        ("Fini", news.over),
        ("Toujours en cours", news.still),
    ):
        if troubles:
            yield from ("", f"{title} :")
        for told in troubles.values():
            yield f"- {told.subject} ({WORDS[Level(told.level)]}) : {told.what}"
            if troubles is news.fresh:
                yield f"  → {advices.get((told.subject, told.what), '')}"
            else:
                yield f"  depuis le {formats.long_instant(told.since)}"
    if not (news.fresh or news.still):
        yield from ("", "Tout va bien.")
    if news.weekly:
        yield ""
        yield from (f"{it.subject} : {it.detail or WORDS[it.level]}" for it in results)


def _journals(installation: Installation, news: News) -> Iterator[str]:
    """Yield the last words of the units that have just failed."""
    if any(told.subject == services.SUBJECT for told in news.fresh.values()):
        for unit in services.failed(installation):
            yield from ("", f"Fin du journal de {unit} :")
            yield from (f"    {line}" for line in services.last_words(unit))


def _ending(installation: Installation) -> Iterator[str]:
    next_on = next_weekly(installation.weekday)
    day = f"{WEEKDAYS[next_on.weekday()]} {formats.long_date(next_on)}"
    yield f"Pour tout revoir : « {resources.typed('check')} »."
    yield "Chaque ennui est dit une fois, puis une fois qu’il est fini."
    yield f"Prochain message, quoi qu’il arrive : {day}, dans la matinée. S’il ne vient pas,"
    yield "la machine, sa minuterie kiosque-check ou son courriel ne marchent plus."

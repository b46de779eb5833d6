"""The first page of the town hall's area: what is to do, then the figures of the month."""

from datetime import date

from flask import render_template

from kiosque import payments
from kiosque.families import answers
from kiosque.language import clock, formats
from kiosque.mails import sent
from kiosque.monitoring import state
from kiosque.outbox import queue
from kiosque.papers.content import way_paid
from kiosque.payments import figures
from kiosque.payments.figures import Collected, Regies
from kiosque.staff.roles import Role
from kiosque.web import current
from kiosque.web.office.access import DEPOSITORS, READERS, TREATERS, own_agent
from kiosque.web.office.uploads import to_judge


def today() -> str:
    agent, treated = own_agent(), own_agent().bounds(*TREATERS)
    return render_template(
        "office/today.html",
        points=payments.count_open_anomalies(treated),
        requests=answers.count_waiting() if agent.has(Role.FACTURATION) else 0,
        files=to_judge(agent) if agent.has(*DEPOSITORS) else 0,
        mails=queue.count_given_up(sent.of_regies(treated)) if agent.has(*TREATERS) else 0,
        figures=_figures(agent.bounds(*READERS)) if agent.has(*READERS) else None,
        site=state.gather(current.settings()),
    )


def _figures(regies: Regies) -> dict[str, object]:
    month = clock.today().replace(day=1)
    collected = figures.collected(regies, month)
    return {
        "month": f"{formats.MONTHS[month.month - 1]} {month.year}",
        "cents": collected.cents,
        "services": collected.by_service.most_common(),
        "modes": _modes(collected),
        "days": _days(collected, month),
        "unpaid": figures.unpaid(regies),
    }


def _modes(collected: Collected) -> list[tuple[str, int]]:
    """Return each means of payment in words, and its cents, the largest sum first."""
    every = collected.by_mode.most_common()
    return [(way_paid(mode, online=online), cents) for (online, mode), cents in every]


def _days(collected: Collected, month: date) -> list[tuple[date, int]]:
    """Return the days of the month until today, each with its cents."""
    every = (month.replace(day=number) for number in range(1, clock.today().day + 1))
    return [(day, collected.by_day[day]) for day in every]

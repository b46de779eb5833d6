"""Days and hours typed on a command line."""

from datetime import date, datetime
from typing import Any

import click


class Day(click.ParamType[date]):
    """A day, typed as 2026-11-29; a `date`."""

    name = "jour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007  # a day of Paris's
        except ValueError:
            self.fail(f"{value!r} n’est pas un jour comme 2026-11-29.", param, ctx)


class Hour(click.ParamType[datetime]):
    """A day and an hour of Paris's, typed as 2026-11-29 20:00, or with a T between them; a
    `datetime` without a zone."""

    name = "heure"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            return datetime.strptime(value.replace("T", " "), "%Y-%m-%d %H:%M")  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value!r} n’est pas une heure comme « 2026-11-29 20:00 ».", param, ctx)

"""The town as the site shows it: its settings, texts and colours. What the town hall changes in its
area is shown by every process of the site within SECONDS."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from flask import Flask, current_app, request
from peewee import DatabaseError

from gateways.base import Gateway
from kiosque.language import clock
from kiosque.settings import Settings
from kiosque.staff import town_settings
from kiosque.web import assets, legal, pages

SECONDS = 5
_PLAIN = ("site.asset", "site.health")


class TownInForce:
    """The settings of the file, the texts of the town, and the changes last put in force over
    them."""

    def __init__(
        self, file: Settings, own_texts: Mapping[str, str], gateways: Mapping[str, Gateway]
    ) -> None:
        self._file, self._texts_of_files = file, own_texts
        self._banks = legal.banks_given_email(file, gateways)
        self._version: datetime | None = None
        self._looked_at: datetime | None = None

    def put_in_force(
        self, app: Flask, settings: Settings, texts: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Build all that pages show from the settings and from the texts written at the town
        hall."""
        own_texts = {**self._texts_of_files, **texts}
        app.extensions.update(
            settings=settings,
            assets=assets.build(settings),
            legal=legal.LegalPages(settings, own_texts, self._banks),
        )

    def of_files(self, settings: Settings) -> legal.LegalPages:
        """Return the texts of the files only, without those written at the town hall."""
        return legal.LegalPages(settings, self._texts_of_files, self._banks)

    def refresh(self, app: Flask) -> None:
        """Put in force what was changed since the last time; nothing if the database does not
        answer."""
        self._looked_at = clock.now()
        try:
            version = town_settings.version()
        except DatabaseError:
            return
        if version != self._version:
            self.put_in_force(app, town_settings.in_force(self._file), town_settings.texts())
            pages.show_town(app)
            self._version = version

    def is_to_look_at(self) -> bool:
        """Tell whether it is time to look again for changes."""
        looked_at = self._looked_at
        return looked_at is None or clock.now() - looked_at >= timedelta(seconds=SECONDS)


def init_app(app: Flask) -> None:
    app.before_request(_look)


def refresh() -> None:
    """Show what has just been changed."""
    town: TownInForce = current_app.extensions["town"]
    town.refresh(current_app)


def text_of_origin(file_name: str) -> str:
    """Return the text in Markdown that a text written at the town hall replaces."""
    town: TownInForce = current_app.extensions["town"]
    return town.of_files(current_app.extensions["settings"]).text(file_name)


def _look() -> None:
    town: TownInForce = current_app.extensions["town"]
    if request.endpoint not in _PLAIN and town.is_to_look_at():
        town.refresh(current_app)

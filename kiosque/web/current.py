"""Read, for views, the settings, gateways and texts that the site under way was assembled with."""

from collections.abc import Mapping
from typing import cast

from flask import current_app

from gateways.base import Gateway
from kiosque.payments import Issuers
from kiosque.settings import Settings
from kiosque.web.assets import Assets
from kiosque.web.legal import LegalPages


def settings() -> Settings:
    return cast("Settings", current_app.extensions["settings"])


def gateways() -> Mapping[str, Gateway]:
    """Return every gateway of the settings by name, also those that take no new payment."""
    return cast("Mapping[str, Gateway]", current_app.extensions["gateways"])


def issuers() -> Issuers:
    """Return the names in which receipts are issued now."""
    return Issuers.from_settings(settings())


def legal_pages() -> LegalPages:
    return cast("LegalPages", current_app.extensions["legal"])


def assets() -> Assets:
    return cast("Assets", current_app.extensions["assets"])

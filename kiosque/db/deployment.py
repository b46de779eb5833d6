"""Keep a test database from serving in production, and a production one from serving as a test.

Otherwise test money and real money would share one journal.
"""

from kiosque.db.models import Deployment
from kiosque.db.transactions import write
from kiosque.language import clock

_NAMES = {"production": "du vrai site", "test": "d’un essai", "demo": "de la démonstration"}


class OtherEnvironment(Exception):
    """The database and the settings name different environments; the text says in French what to
    do."""


def environment() -> str:
    """Return the environment of the database in force; empty while nobody has noted it."""
    noted = Deployment.get_or_none() if Deployment.table_exists() else None
    return noted.environment if noted else ""


def note(asked: str) -> None:
    """Note the environment of a database that has none yet."""
    with write():
        if not environment():
            Deployment.insert(id=1, environment=asked, noted_at=clock.now()).execute()


def require(asked: str) -> None:
    """Raise OtherEnvironment if the database belongs to another environment than `asked`."""
    if fault_words := fault(asked):
        raise OtherEnvironment(fault_words)


def fault(asked: str) -> str:
    """Say in French that the database belongs to another environment, and what to do; return ""
    if it may serve."""
    found = environment()
    if found in ("", asked):
        return ""
    whose = _NAMES.get(found, f"de l’environnement {found[:20]}")
    return (
        f'Cette base est celle {whose} (environment = "{found}"), et les réglages disent '
        f'"{asked}"\u00a0: gardez-la à part et donnez au site une base neuve (docs/ouverture.md), '
        "ou remettez l’ancien réglage."
    )

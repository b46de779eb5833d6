"""See every page in every state: play the scenes, each to its end."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from peewee import ModelDelete
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from gateways.sandbox import server as sandbox
from kiosque.db.models import Throttle
from tests.bank import KEY
from tests.conftest import PUBLIC_URL
from tests.pages import (
    account,
    everybody,
    family,
    office,
    office_bank,
    office_deposits,
    office_families,
    office_imports,
    office_money,
    office_month,
    payment,
)
from tests.pages.bank import BANK_SCENES
from tests.pages.stage import BANK_URL, LONG_NAME, SCENES, Seen, Stage

#: They put their scenes on the list as they are read.
PLACES = (
    account,
    everybody,
    family,
    office,
    office_deposits,
    office_families,
    office_bank,
    office_imports,
    office_money,
    office_month,
    payment,
)


def visit(stage: Stage) -> list[Seen]:
    """Play every scene at the portal."""
    seen = []
    for play in SCENES:
        seen.append(_seen(stage.app, PUBLIC_URL, play, play(stage)))
        # One machine plays everybody: nobody waits for what another has tried.
        ModelDelete(Throttle).execute()
    return seen


def visit_bank(stage: Stage, folder: Path) -> list[Seen]:
    """Play every scene at the mock bank, each in a bank of its own."""
    seen = []
    family = stage.family(name=LONG_NAME)
    # The bank's clock is the real one, and it looks at the date of the form.
    stage.clock.at = datetime.now(UTC)
    for count, play in enumerate(BANK_SCENES):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SANDBOX_KEY", KEY)
            patch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:9/")  # nobody hears
            patch.setenv("SANDBOX_DATABASE", str(folder / f"bank-{count}.sqlite3"))
            app = sandbox.create_bank()
        _, handoff = stage.open_payment(family, *(stage.invoice(family) for _ in range(3)))
        seen.append(_seen(app, BANK_URL, play, play(app.test_client(), handoff)))
    return seen


def _seen(app: Flask, origin: str, play: Callable[..., object], answer: TestResponse) -> Seen:
    state = play.__name__.replace("_", " ")
    asked = answer.request
    assert answer.mimetype == "text/html", f"{state}: {answer.mimetype}"
    assert not 300 <= answer.status_code < 400, f"{state}: leads to {answer.location}"
    try:
        endpoint = app.url_map.bind("").match(asked.path, asked.method)[0]
    except HTTPException:
        endpoint = None
    url = origin + asked.full_path.rstrip("?")
    headers = dict(answer.headers)
    return Seen(state, endpoint, url, answer.status_code, answer.text, headers, app)

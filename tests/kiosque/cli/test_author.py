"""The books name who typed a command: the person, as sudo knows her."""

import contextlib
import os
import pwd
from collections.abc import Callable

import pytest
from click.testing import Result

from kiosque.db.models import Settlement
from kiosque.payments import journal
from tests import sentences

SETTLE = ("settle", "2026-10-0001", "--mode", "cash", "--reason", "espèces")
Run = Callable[..., Result]


@pytest.mark.usefixtures("october")
def test_who_called_sudo_is_the_author_of_what_she_books(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "d.aubry")
    assert run(*SETTLE).exit_code == 0
    assert Settlement.get().author == "d.aubry"


@pytest.mark.usefixtures("october")
def test_nobody_books_in_the_name_of_another(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "d.aubry")
    result = run(*SETTLE, "--author", "Charlie")
    assert result.exit_code == 2
    assert f"{sentences.AUTHOR_IS} d.aubry" in result.output
    assert journal.last()[0] == 0


@pytest.mark.usefixtures("october")
@pytest.mark.parametrize("caller", [None, "root"])
def test_where_sudo_names_nobody_the_author_may_be_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, caller: str | None
) -> None:
    if caller:
        monkeypatch.setenv("SUDO_USER", caller)
    assert run(*SETTLE, "--author", "Dominique Aubry").exit_code == 0
    assert Settlement.get().author == "Dominique Aubry"


@pytest.mark.usefixtures("october")
def test_else_it_is_the_account_of_the_session(run: Run) -> None:
    assert run(*SETTLE).exit_code == 0
    account = pwd.getpwuid(os.getuid()).pw_name
    with contextlib.suppress(OSError):
        account = os.getlogin()
    assert Settlement.get().author == account

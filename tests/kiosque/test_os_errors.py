"""A refusal of the operating system is said in French, whichever it is."""

import errno

import pytest

from kiosque import os_errors


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "n’existe pas"),
        (errno.EACCES, "refusé"),
        (errno.EISDIR, "un dossier"),
        (errno.ENOSPC, "plein"),
        (errno.EROFS, "lecture seule"),
        (errno.ELOOP, "erreur ELOOP du système"),
        (None, "erreur inconnue du système"),
    ],
)
def test_a_refusal_of_the_system_is_said_in_french(number: int | None, words: str) -> None:
    error = OSError("said in English") if number is None else OSError(number, "said in English")
    assert words in os_errors.why(error)
    assert "English" not in os_errors.why(error)

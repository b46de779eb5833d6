"""An upgrade tells of a program that failed."""

import subprocess

import pytest

from kiosque.upgrade import machine


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("WARNING: x\nErreur : rien.", "rien.\nWARNING: x"),
        ("Erreur : deux :\n- a\n- b", "deux :\n- a\n- b"),
        ("fatal: x", "fatal: x"),
        ("", "code de sortie 1"),
    ],
)
def test_the_reason_comes_first_and_once(printed: str, told: str) -> None:
    done = subprocess.CompletedProcess[str](["x"], 1, stdout="", stderr=printed)
    assert machine.said(done) == told

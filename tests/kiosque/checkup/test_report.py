"""Results are printed for people and for scripts, within the deadline."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque.checkup import report, runner
from kiosque.checkup.findings import Findings, Level, Result
from kiosque.checkup.installation import Installation as Surveyed
from kiosque.version import VERSION
from tests import sentences


def results() -> list[Result]:
    good, odd, bad = Findings(), Findings(), Findings()
    good.see("12 Go : beaucoup")
    odd.look("un fichier ?", "Voyez « ls ».")
    bad.see("smtp.example.org")
    bad.broken("une panne", "Relancez.")
    bad.broken("une autre", "Relancez.")
    bad.look("un doute", "Regardez.")
    return [good.result("Disque"), odd.result("Base"), bad.result("Adresse publique")]


def test_a_line_a_subject_then_each_trouble_with_what_to_do_once() -> None:
    assert report.as_text(results(), colour=False) == (
        "Disque            bon          12 Go\u00a0: beaucoup\n"
        "Base              à regarder\n"
        "                  - un fichier\u00a0?\n"
        "                    → Voyez «\u00a0ls\u00a0».\n"
        "Adresse publique  en panne     smtp.example.org\n"
        "                  - en panne\u00a0: une panne\n"
        "                  - en panne\u00a0: une autre\n"
        "                    → Relancez.\n"
        "                  - à regarder\u00a0: un doute\n"
        "                    → Regardez.\n"
        "\n"
        "En panne\u00a0: 1, à regarder\u00a0: 1."
    )
    assert report.as_text(results()[:1], colour=False).endswith(f"\n{sentences.ALL_GOOD}")


def test_long_texts_are_wrapped_but_nothing_that_is_typed_is_cut() -> None:
    found, path = Findings(), "/un/chemin/" + "x" * 80
    found.broken(f"voici {path} et une suite de mots", "Faites " + "ceci " * 30)
    lines = report.as_text([found.result("Base")], colour=False, columns=60).splitlines()
    assert any(line.strip() == path for line in lines)
    assert all(len(line) <= 60 for line in lines if path not in line)


def test_colour_adds_nothing_else() -> None:
    plain, painted = (report.as_text(results(), colour=colour) for colour in (False, True))
    assert "\033[32m" in painted
    assert "\033[31m" in painted
    for code in ("31", "32", "33", "0"):
        painted = painted.replace(f"\033[{code}m", "")
    assert painted == plain


def test_a_script_reads_the_same() -> None:
    told = json.loads(report.as_json(results()))
    assert (told["etat"], told["version"]) == ("en-panne", VERSION)
    assert [each["etat"] for each in told["sujets"]] == ["bon", "a-regarder", "en-panne"]
    assert told["sujets"][2]["ennuis"][2] == {
        "etat": "a-regarder",
        "constat": "un doute",
        "conseil": "Regardez.",
    }


@pytest.mark.parametrize(
    ("level", "fails", "fails_strictly"),
    [
        (Level.GOOD, False, False),
        (Level.UNKNOWN, False, True),
        (Level.LOOK, False, True),
        (Level.BROKEN, True, True),
    ],
)
def test_what_is_to_be_looked_at_fails_only_when_asked(
    level: Level, fails: bool, fails_strictly: bool
) -> None:
    found = Findings()
    tell = {Level.UNKNOWN: found.unknown, Level.LOOK: found.look, Level.BROKEN: found.broken}
    if level in tell:
        tell[level]("quelque chose", "Rien.")
    one = [found.result("Base"), Result("Disque")]
    assert runner.fails(one, strict=False) == fails
    assert runner.fails(one, strict=True) == fails_strictly


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_one_that_hangs_or_fails_keeps_no_other_from_telling(
    data: Path, monkeypatch: pytest.MonkeyPatch, over: threading.Event
) -> None:
    def hang(_installation: Surveyed) -> Result:
        over.wait(20)
        return Result("Sans fin")

    def fail(_installation: Surveyed) -> Result:
        raise RuntimeError("canari")

    checks = {"Faute": fail, "Bon": lambda _: Result("Bon"), "Sans fin": hang}
    monkeypatch.setattr(runner, "CHECKS", checks)
    found = runner.run(
        {"KIOSQUE_DATA": str(data), "KIOSQUE_GATEWAYS_BANQUE_KEY": "", "KIOSQUE_X": "1"},
        seconds=0.4,
    )
    told = {result.subject: result for result in found}
    assert sentences.numbers(told["Sans fin"].troubles[0].what) == [0]
    assert told["Faute"].troubles[0].what == f"{sentences.NOT_RUN} (RuntimeError)"
    assert told["Bon"].level is Level.GOOD
    assert "canari" not in report.as_text(found, colour=False)


def test_an_adapter_that_fails_to_be_set_is_told_without_its_words(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def configure(*_: object, **__: object) -> None:
        raise ZeroDivisionError("canari")

    monkeypatch.setattr("gateways.registry.configure", configure)
    (found,) = runner.run({"KIOSQUE_DATA": str(data)})
    assert found.troubles[0].what == f"{sentences.NOT_RUN} (ZeroDivisionError)"

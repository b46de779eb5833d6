"""Each input that fuzzing kept (`make fuzz`) is replayed: none fails again."""

from pathlib import Path
from typing import Any

import pytest

from gateways.lyra import HostedForm, orders
from kiosque.invoices import imports
from tests.fuzz import targets

CORPUS = Path(__file__).parent / "corpus"
KEPT = [path for name in targets.TARGETS for path in sorted((CORPUS / name).iterdir())]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, targets.Target]:
    return {
        name: prepare(tmp_path_factory.mktemp(name)) for name, prepare in targets.TARGETS.items()
    }


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_whatever_comes_is_refused_or_believed_rightly(
    path: Path, prepared: dict[str, targets.Target]
) -> None:
    prepared[path.parent.name](path.read_bytes())


def test_a_payment_believed_without_a_signature_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = targets.notification(tmp_path)
    monkeypatch.setattr(HostedForm, "_authenticate", lambda *_: None)
    with pytest.raises(AssertionError, match="without a signature"):
        target((CORPUS / "notification" / "forged").read_bytes())


def test_a_check_that_writes_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, load = targets.importing(tmp_path), imports.load
    monkeypatch.setattr(imports, "load", lambda *args, **options: load(*args, **_kept(options)))
    with pytest.raises(AssertionError, match="a check changed the database"):
        target((CORPUS / "imports" / "invoices").read_bytes())


def _kept(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "preview": False}


def test_an_answer_taken_for_granted_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = targets.answers(tmp_path)
    monkeypatch.setattr(orders, "_amounts", lambda *_: ((1, "€"), (1, "€")))
    with pytest.raises(AssertionError):
        target((CORPUS / "answers" / "captured").read_bytes())

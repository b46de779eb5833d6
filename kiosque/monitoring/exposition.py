"""Write the state of the site for monitoring: JSON, and the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kiosque import backups
from kiosque.monitoring.state import State
from kiosque.version import VERSION

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labelled = Mapping[str, float | None]


def as_json(state: State) -> dict[str, Any]:
    """Return the state under French names; None for what is not known, or never was."""
    memory, mails = state.memory, state.mails
    return {
        "etat": state.fault or "ok",
        "version": VERSION,
        "instant": _instant(state.at),
        "minuteries": {name: _aged(state, at) for name, at in sorted(state.timers.items())},
        "courriels": mails
        and {
            "en_attente": mails.waiting,
            "abandonnes": mails.given_up,
            "plus_ancien": _aged(state, mails.oldest_at),
        },
        "derniere_sauvegarde": _aged(state, state.timers.get(backups.MADE)),
        "derniere_verification": _aged(state, memory.verified_at),
        "defauts_des_comptes": memory.verify_faults,
        "banques": {name: _aged(state, at) for name, at in sorted(state.banks.items())},
        "fin_du_certificat": _instant(memory.certificate_ends_at),
        "disque": {"libre_octets": state.disk_free, "total_octets": state.disk_size},
        "ennuis": [
            {"sujet": told.subject, "constat": told.what, "depuis": _instant(told.since)}
            for told in memory.told.values()
        ],
    }


def _aged(state: State, at: datetime | None) -> dict[str, Any] | None:
    """Return an instant and its age, in whole seconds."""
    return (
        None
        if at is None
        else {"instant": _instant(at), "age_s": int((state.at - at).total_seconds())}
    )


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def as_metrics(state: State) -> str:
    """Return the state as metrics; what is not known, or never was, has no line."""
    return "".join(f"{line}\n" for line in _lines(state))


def _lines(state: State) -> Iterator[str]:
    mails, memory = state.mails, state.memory
    one = {"": 1.0}
    yield from _gauge("info", "Version of the site", "version", {VERSION: 1.0})
    yield from _gauge("up", "1 when the site can serve", "", one if not state.fault else {"": 0.0})
    yield from _gauge(
        "chore_end_timestamp_seconds", "Last end of each chore", "chore", _stamps(state.timers)
    )
    yield from _gauge(
        "mails", "Mails that have not left", "state",
        {"waiting": mails.waiting, "given_up": mails.given_up} if mails else {},
    )  # fmt: skip
    oldest = {"": mails.oldest_at} if mails else {}
    yield from _gauge(
        "mail_oldest_timestamp_seconds", "When the oldest mail was queued", "", _stamps(oldest)
    )
    yield from _gauge("verify_faults", "Faults of the books", "", {"": memory.verify_faults})
    yield from _gauge(
        "bank_answer_timestamp_seconds", "Last answer of a bank", "gateway", _stamps(state.banks)
    )
    yield from _gauge(
        "certificate_end_timestamp_seconds", "End of the certificate, as last checked", "",
        _stamps({"": memory.certificate_ends_at}),
    )  # fmt: skip
    yield from _gauge("disk_free_bytes", "Free space for the data", "", {"": state.disk_free})
    yield from _gauge("disk_size_bytes", "Size of the disk", "", {"": state.disk_size})
    yield from _gauge("troubles", "Troubles told and not over", "", {"": len(memory.told)})


def _stamps(instants: Mapping[str, datetime | None]) -> Labelled:
    return {name: None if at is None else at.timestamp() for name, at in instants.items()}


def _gauge(name: str, help_text: str, label: str, values: Labelled) -> Iterator[str]:
    """Yield the lines of one metric. No label of ours holds a character to escape."""
    known = {each: value for each, value in sorted(values.items()) if value is not None}
    if known:
        yield f"# HELP kiosque_{name} {help_text}"
        yield f"# TYPE kiosque_{name} gauge"
    for each, value in known.items():
        labels = f'{{{label}="{each}"}}' if label else ""
        yield f"kiosque_{name}{labels} {value:.15g}"

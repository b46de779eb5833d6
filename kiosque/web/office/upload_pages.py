"""The words of the pages of deposited files: what was read of them, and what is to judge."""

from collections.abc import Mapping, Sequence
from typing import Any

from kiosque.db.models import ImportBatch, Upload
from kiosque.db.states import UploadState
from kiosque.invoices.imports import Fault, FileSummary
from kiosque.invoices.imports.reading import Absent
from kiosque.invoices.uploads import previews
from kiosque.invoices.uploads.previews import MonthTotals, Preview
from kiosque.language import clock
from kiosque.language.formats import MONTHS, NARROW_NO_BREAK_SPACE
from kiosque.web.office.access import DEPOSITORS, Agent
from kiosque.web.office.uploads import LoadForm, button, may_load, may_see, may_undo

#: Most items of a long list that are shown.
SHOWN = 20


def lacking(agent: Agent) -> list[tuple[Upload, int]]:
    """Return the files to judge that lack invoices loaded earlier for their month, with how
    many."""
    read = Upload.select().where(Upload.state == UploadState.READ).order_by(Upload.id.desc())
    seen = [each for each in read if may_see(agent, each)]
    counts = [len(_absent(previews.read(each.preview).summary, agent)) for each in seen]
    return [(each, count) for each, count in zip(seen, counts, strict=True) if count]


def _absent(summary: FileSummary | None, agent: Agent) -> list[Absent]:
    """Return the invoices that a file lacks, of the *régies* that the agent loads for."""
    own, found = agent.bounds(*DEPOSITORS), summary.absent if summary else ()
    return [each for each in found if own is None or each.regie in own]


def shown(upload: Upload, preview: Preview, form: LoadForm | None, agent: Agent) -> dict[str, Any]:
    """Return what the page of a file shows: what was read of it, and what is to confirm."""
    summary, before = preview.summary, _month(preview, agent)
    same = ImportBatch.select().where(
        ImportBatch.sha256 == upload.sha256, ImportBatch.undone_at.is_null()
    )
    return {
        "upload": upload,
        "where": f"ligne {_grouped(upload.done_count)} sur {_grouped(upload.line_count)}",
        "faults": preview.faults,
        "needs": {fault.needs for fault in preview.faults},
        "summary": summary,
        "form": form,
        "groups": _groups(summary, form) if summary and form else [],
        "may_load": bool(summary and may_load(agent, summary)),
        "button": button(summary) if summary else "",
        "month": f"{MONTHS[before.first_day.month - 1]} {before.first_day.year}",
        "services": _rows(summary.services, before.services) if summary else [],
        "regies": _rows(summary.regies, before.regies) if summary else [],
        "look_at": _look_at(summary) if summary else [],
        "absent": _absent(summary, agent),
        "same": same.order_by(ImportBatch.id.desc()).first(),
        "may_undo": bool(upload.batch and may_undo(agent, upload.batch)),
    }


def _month(preview: Preview, agent: Agent) -> MonthTotals:
    """Return the month before, without the *régies* that the agent does not load for."""
    found, own = preview.before or MonthTotals(clock.today()), agent.bounds(*DEPOSITORS)
    if own is None:
        return found
    brought = preview.summary.services if preview.summary else ()
    services = {name: cents for name, cents in found.services.items() if name in brought}
    regies = {key: cents for key, cents in found.regies.items() if key in own}
    return MonthTotals(found.first_day, services, regies)


def _groups(summary: FileSummary, form: LoadForm) -> list[tuple[Any, list[Fault]]]:
    """Return the box of each kind of surprise, with the surprises that it accepts, in file
    order."""
    return [
        (form[name], [fault for fault in summary.to_confirm if fault.needs == name])
        for name in LoadForm.SURPRISES
        if name in form
    ]


def _rows(now: Mapping[str, int], before: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Return the sums of each name, in the file and in the month before."""
    names = dict.fromkeys([*now, *sorted(before)])
    return [(name, now.get(name, 0), before.get(name, 0)) for name in names] if now else []


def _look_at(summary: FileSummary) -> list[tuple[str, str]]:
    """Return what somebody should look at besides lines: pairs of words."""
    services = [f"«\u00a0{spelt}\u00a0» est {name}" for spelt, name in summary.joined_services]
    children = [
        f"{code}, «\u00a0{spelt}\u00a0» est {name}" for code, spelt, name in summary.joined_children
    ]
    found = (
        ("Prestations nouvelles", summary.new_services),
        ("Prestations reconnues", services),
        ("Enfants reconnus", children),
        ("Familles sans courriel utilisable", summary.without_email),
        ("Factures dont un encaissement connu ne les paie plus", summary.left_since),
    )
    return [(words, _listed(items)) for words, items in found if items]


def _listed(items: Sequence[str]) -> str:
    more = f", et {len(items) - SHOWN} de plus" if len(items) > SHOWN else ""
    return f"{', '.join(items[:SHOWN])}{more}"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", NARROW_NO_BREAK_SPACE)

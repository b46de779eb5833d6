"""The forms of files to load: what is deposited, and what is agreed to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, ClassVar

from flask_wtf import FlaskForm
from flask_wtf.file import FileRequired, MultipleFileField
from peewee import ModelSelect, fn
from werkzeug.exceptions import NotFound
from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired

from kiosque.db.models import ImportBatch, Invoice, Upload
from kiosque.db.states import UploadState
from kiosque.invoices.announcements import FIRST_HOUR, LAST_HOUR, SECOND_THOUGHTS
from kiosque.invoices.imports import FileSummary, undo_log
from kiosque.invoices.imports.reading import quoted
from kiosque.invoices.uploads import bundles, previews, storing
from kiosque.invoices.uploads.previews import Preview
from kiosque.invoices.uploads.storing import BadUpload, KeptFile
from kiosque.language import clock
from kiosque.language.formats import (
    counted,
    format_euros,
    long_date,
)
from kiosque.settings import Notices
from kiosque.staff.roles import Role
from kiosque.web.forms import Form
from kiosque.web.office.access import DEPOSITORS, READERS, Agent, NotOpen, own_agent
from kiosque.web.office.forms import TICK, OneOf
from kiosque.web.office.upload_acts import TOO_MANY

#: Files of one deposit.
MAX_FILES = 10
#: Most days that the mails of a load may wait: reminders come after.
LATEST_DAYS = 3
#: Hours of a day that are offered.
_EVERY_HOURS = 3


class DepositForm(FlaskForm):
    """Files to load; one may be an archive of PDFs."""

    file = MultipleFileField("Fichiers à charger", [FileRequired("Choisissez un fichier.")])

    def keep(self, author: str, data: Path) -> list[Upload]:
        """Store the files and return their rows. If one of them cannot be loaded, say why in the
        form and return none."""
        if storing.is_full():
            self._refuse(TOO_MANY)
            return []
        sent = [(each.filename, each.stream) for each in self.file.data[:MAX_FILES]]
        files = bundles.bundled(sent, storing.MAX_FILE_BYTES)
        kept = list(filter(None, [self._kept(name, stream, data) for name, stream in files]))
        mains = [each for each in kept if not each.has_pdfs]
        pdfs = [each for each in kept if each.has_pdfs]
        if len(self.file.data) > MAX_FILES:
            self._refuse(f"Au plus {MAX_FILES} fichiers à la fois.")
        elif len(pdfs) > 1:
            self._refuse("Une seule archive de PDF à la fois.")
        elif pdfs and not mains and not self.file.errors:
            self._refuse("Déposez l’archive de PDF avec le fichier de leurs factures.")
        if self.file.errors:
            return []
        return [storing.add(each, next(iter(pdfs), None), author) for each in mains]

    def _kept(self, name: str, stream: IO[bytes], data: Path) -> KeptFile | None:
        try:
            return storing.keep(stream, name, data)
        except BadUpload as error:
            self._refuse(f"{quoted(storing.clean_name(name))}\u00a0: {error}")
            return None

    def _refuse(self, text: str) -> None:
        self.file.errors = [*self.file.errors, text]


class LoadForm(Form):
    """The agent's agreement to a preview: a box for each kind of surprise in it, and the hour from
    which families are told."""

    fingerprint = HiddenField()
    new_services = BooleanField("Ces prestations sont bien nouvelles")
    new_families = BooleanField("Ces codes famille sont justes")
    removals = BooleanField("Ces retraits sont voulus")
    overpayments = BooleanField(
        "Ces encaissements sont venus en plus\u00a0: ce sont des trop-perçus"
    )
    announce_at = OneOf("Prévenir les familles")
    SURPRISES: ClassVar[Sequence[str]] = (
        "new_families", "new_services", "removals", "overpayments"
    )  # fmt: skip

    def __init__(self, summary: FileSummary, **values: Any) -> None:
        super().__init__(**values)
        needed = {fault.needs for fault in summary.to_confirm}
        for name in self.SURPRISES:
            if name in needed:
                self[name].validators = [InputRequired(TICK)]
            else:
                del self[name]
        if summary.told:
            self.announce_at.choices = _hours(clock.now())
        else:
            del self.announce_at

    @property
    def confirmed(self) -> list[str]:
        """Return the kinds of surprises that are let in."""
        return [name for name in self.SURPRISES if name in self and self[name].data]

    @property
    def chosen_at(self) -> datetime | None:
        """Return the instant before which no mail leaves; None for as soon as possible."""
        chosen = self.announce_at.data if self.announce_at else ""
        return datetime.fromisoformat(chosen) if chosen else None


def loader(kind: str) -> Role:
    """Return the role that loads a kind of file."""
    return Role.REGISSEUR if kind == "encaissements" else Role.FACTURATION


def may_load(agent: Agent, summary: FileSummary) -> bool:
    """Tell whether an agent has the role to load this, for every *régie* that it concerns."""
    role = loader(summary.kind)
    return agent.has(role) and agent.has_for(summary.regies, role)


def button(summary: FileSummary) -> str:
    """Say what loading does: «Charger 412 factures (31 204,55 €)», «Charger un avoir de 8,45 €»."""
    one = {"factures": "facture", "familles": "famille", "encaissements": "encaissement"}
    what = counted(summary.added, one.get(summary.kind, "ligne"))
    amount = f" ({format_euros(summary.total_cents)})" if summary.total_cents else ""
    if summary.added == summary.nothing_due == 1 and (cents := summary.samples[0].total_cents):
        what = f"un avoir de {format_euros(-cents)}"
    tells = f" et prévenir {counted(summary.told, 'famille')}" if summary.told else ""
    return f"Charger {what}{amount}{tells}"


def preview_of(upload: Upload, notices: Notices) -> Preview:
    """Return what was read of a file; no family is told where the town sends no such mail."""
    found = previews.read(upload.preview)
    if found.summary and not notices.new_invoices:
        return replace(found, summary=replace(found.summary, told=0))
    return found


def may_see(agent: Agent, upload: Upload) -> bool:
    """Tell whether an agent may see a file that waits: his own, or one of *régies* that he loads
    for. If the *régies* of a file are not known, only those who load for all may see it."""
    if agent.bounds(*DEPOSITORS) is None or upload.author == agent.staff.email:
        return True
    summary = previews.read(Upload.get_by_id(upload.id).preview).summary
    return summary is not None and agent.has_for(summary.regies, *DEPOSITORS)


def own_upload(number: int, *states: UploadState) -> Upload:
    """Return a file that the agent may see, in one of these states if some are named. Raises
    NotFound, NotOpen."""
    found = Upload.get_or_none(Upload.id == number)
    if found is None or (states and found.state not in states):
        raise NotFound
    if not may_see(own_agent(), found):
        raise NotOpen
    return found


def to_judge(agent: Agent) -> int:
    """Count the files that wait for an agent."""
    return sum(may_see(agent, each) for each in storing.waiting())


def loads(agent: Agent) -> "ModelSelect[ImportBatch]":
    """Select the loads that an agent may see: his own, those of invoices of his *régies* alone, and
    those of families, which are the town's. The *régies* of a load of payments are not kept: only
    its author, and those who read all *régies*, may see it."""
    own = agent.bounds(*READERS)
    if own is None:
        return ImportBatch.select()
    brought = Invoice.select(Invoice.id).where(Invoice.batch == ImportBatch.id)
    theirs = fn.EXISTS(brought) & ~fn.EXISTS(brought.where(Invoice.regie.not_in(sorted(own))))
    mine = ImportBatch.author == agent.staff.email
    return ImportBatch.select().where(mine | (ImportBatch.kind == "familles") | theirs)


def may_undo(agent: Agent, batch: ImportBatch) -> bool:
    """Tell whether undoing a load is offered to an agent."""
    is_theirs = batch.kind != "encaissements" and agent.has(Role.FACTURATION)
    return is_theirs and not batch.undone_at and undo_log.is_kept(batch)


def _hours(now: datetime) -> list[tuple[str, str]]:
    """Return the instants to choose from for the mails to leave, with their words."""
    found = [("", f"dès que possible, une heure après le chargement, entre {FIRST_HOUR} h et "
                  f"{LAST_HOUR} h")]  # fmt: skip
    first = now.astimezone(clock.PARIS)
    for days in range(LATEST_DAYS + 1):
        day = first.date() + timedelta(days=days)
        for hour in range(FIRST_HOUR, LAST_HOUR, _EVERY_HOURS):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=clock.PARIS)
            if now + SECOND_THOUGHTS < at <= now + timedelta(days=LATEST_DAYS):
                found.append((at.isoformat(), f"à partir du {long_date(day)}, {hour} h"))
    return found

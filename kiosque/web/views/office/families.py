"""Families, as agents look them up: every search and every reading leaves a line in the log."""

from flask import abort, redirect, render_template, request
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.db.models import Family
from kiosque.families import contacts, records, ways_in
from kiosque.invoices import family_balance
from kiosque.mails import sent
from kiosque.papers import content
from kiosque.privacy import merging
from kiosque.privacy.mails import latest_mails_of
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web.office import exports, filter_fields, lists, search
from kiosque.web.office.access import MEET_FAMILIES, READERS, actor, own_agent
from kiosque.web.office.lists import RowOrder
from kiosque.web.status_words import invoice_status, settlement_status

_BY_CODE = RowOrder(Family.code, Family.id, goes_up=True)


def go() -> Response:
    """Go from the search box straight to what it names, or to what may be meant."""
    meets_families = own_agent().has(*MEET_FAMILIES)
    return redirect(search.place_of(_asked(), meets_families=meets_families))


def families() -> str:
    asked, archived = _asked(), "archivees" in request.args
    found = records.search(asked, archived=archived)
    if asked:
        events.note(Action.FAMILIES_SEARCHED, actor(), asked)
    return render_template(
        "office/families.html",
        asked=asked,
        archived=archived,
        found=found[: records.SHOWN],
        more=len(found) > records.SHOWN,
    )


@exports.as_file
def families_table() -> exports.Export:
    """Give the families that a search finds, or all."""
    asked, archived = _asked(), "archivees" in request.args
    every = lists.every(records.matching(asked, archived=archived), _BY_CODE)
    chosen = {"q": asked, "archivees": "archivées" if archived else ""}
    return exports.Export("familles", exports.FAMILIES, map(exports.of_family, every), chosen)


def family(code: str) -> str:
    found = family_of(code)
    events.note(Action.FAMILY_READ, actor(), found.code)
    return render_template(
        "office/family.html",
        family=found,
        record=records.read(found),
        addresses=contacts.addresses(found),
        way_in=ways_in.read(found),
        merges=merging.of(found),
        **_money(found),
    )


def _money(family: Family) -> dict[str, object]:
    own = own_agent().bounds(*READERS)
    invoices = family_balance.latest_invoices(family, own)
    live = payments.live_attempts(invoices)
    return {
        "due": family_balance.due(family, own),
        "owed_cents": payments.overpaid_to(family, own),
        "invoices": [(each, invoice_status(each, live.get(each.id))) for each in invoices],
        "payments": family_balance.latest_payments(family, own),
        "how_paid": content.how_paid,
        "settlement_status": settlement_status,
        "latest": family_balance.LATEST,
        "mails": sent.in_words(latest_mails_of(family, family_balance.LATEST, sent.of_regies(own))),
    }


def family_of(code: str) -> Family:
    """Return the family of this code, else 404."""
    return records.named(code) or abort(404)


def present_family(code: str) -> Family:
    """Return the family of this code unless it is archived, else 404."""
    found = family_of(code)
    return found if found.archived_at is None else abort(404)


def _asked() -> str:
    return filter_fields.looked_for(request.args.get("q", ""))

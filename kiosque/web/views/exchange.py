"""Give the payments to the town's other software, if it sends a token of the settings."""

from typing import Any

from flask import Blueprint, abort, request

from kiosque.payments import outgoing
from kiosque.staff import events
from kiosque.staff.events import Action, Actor
from kiosque.web import access, bearer, current

blueprint = Blueprint("exchange", __name__, url_prefix="/api")

_LARGEST = 2**63 - 1


@blueprint.get("/encaissements")
def payments() -> dict[str, Any]:
    """Return the new payments of the *régie* whose token was sent, or of all."""
    from kiosque.web.office.exports import as_json  # noqa: PLC0415  # for this page only

    known = current.settings().regie_by_token
    regie = known[bearer.require(*known)]
    asked = _asked()
    batch = outgoing.since(asked, regie=regie)
    if batch.payments:
        read = f"encaissements, écritures {asked} à {batch.cursor}"
        of = "toutes régies" if regie is None else current.settings().regie_named(regie).name
        events.note(Action.EXPORTED, Actor(None, access.remote_address()), read, of)
    return {
        "encaissements": [as_json(each) for each in batch.payments],
        "curseur": batch.cursor,
        "suite": batch.more,
    }


def _asked() -> int:
    """Return the entry that the other software has read up to. Raises BadRequest for none."""
    asked = request.args.get("depuis", "0")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 20):
        abort(400)
    return min(int(asked), _LARGEST)

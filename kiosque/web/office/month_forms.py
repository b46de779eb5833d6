"""The form of a month's closing."""

from wtforms import StringField
from wtforms.validators import Length, Optional

from kiosque.payments.refusals import LONGEST_REASON
from kiosque.web.forms import Form
from kiosque.web.office.forms import require_shown, seen_field


class CloseForm(Form):
    """The closing of a month: a box to say that its paper was read, and a reason if the bank's side
    is not proven."""

    reason = StringField(
        "Motif, si le rapprochement n’est pas prouvé",
        [Optional(), Length(max=LONGEST_REASON), require_shown],
        description="Il reste au journal et sur l’état de rapprochement.",
    )
    seen = seen_field()

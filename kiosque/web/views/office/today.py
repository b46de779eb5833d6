"""The first page of the town hall's area: what is to do."""

from flask import render_template

from kiosque import payments
from kiosque.web.office_access import staff_only
from kiosque.web.views.office.area import blueprint


@blueprint.get("", strict_slashes=False)
@staff_only()
def today() -> str:
    return render_template("office/today.html", to_do=len(payments.open_anomalies()))

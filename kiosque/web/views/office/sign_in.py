"""Come into the town hall's area: a password, then a code; the first time, by a link."""

from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from kiosque.db.models import Staff, StaffInvitation, StaffSession
from kiosque.families.passwords import Unsuitable
from kiosque.families.tokens import Spent
from kiosque.staff import invitations, second_factor, signin
from kiosque.staff.invitations import WrongCode
from kiosque.staff.signin import Proof
from kiosque.web import access, current, headers
from kiosque.web.office import access as office_access
from kiosque.web.office.access import actor, own_agent
from kiosque.web.office.forms import AgentSignInForm, CodeForm, ConfirmForm, InvitationForm
from kiosque.web.views.office.area import Answer, form_page

WRONG_CODE = "Ce code n’est pas le bon, ou il a déjà servi. Attendez le suivant\u00a0: 30 secondes."


def sign_in() -> Answer:
    if office_access.agent():
        return redirect(office_access.safe_next())
    form = AgentSignInForm()
    if form.validate_on_submit() and _begun(form):
        return redirect(url_for("office.code", next=request.args.get("next")))
    return form_page("office/sign_in.html", form)


def _begun(form: AgentSignInForm) -> bool:
    """Begin a session, which still needs a code. If the password is refused, return False and say
    why in the form."""
    number = signin.attempt(form.email.data, form.password.data, access.remote_address())
    if number:
        office_access.enter(number)
    else:
        form.form_errors.append("Adresse électronique ou mot de passe incorrect.")
    return bool(number)


def code() -> Answer:
    """Ask for a code: the first one, which signs in, or a fresh one."""
    form, half = CodeForm(), office_access.half_way()
    if half is None and office_access.agent() is None:
        return redirect(url_for("office.sign_in", next=request.args.get("next")))
    if form.validate_on_submit() and _shown(form, half):
        return redirect(office_access.safe_next())
    return form_page("office/code.html", form, again=half is None)


def _shown(form: CodeForm, half: StaffSession | None) -> bool:
    """Take the code. Return False when it is wrong, and say so in the form."""
    key, here = current.settings().secret_key, access.remote_address()
    if half:
        number, proof = signin.finish(half, form.code.data, key, here)
        if number:
            office_access.enter(number)
    else:
        proof = signin.prove(own_agent().session, form.code.data, key, here)
    if proof is None:
        form.code.errors = [WRONG_CODE]
    elif proof == Proof.RECOVERY:
        left = second_factor.recovery_codes_left(office_access.own_agent().staff)
        flash(f"Code de secours utilisé\u00a0: il en reste {left}.")
    return proof is not None


def sign_out() -> Response:
    office_access.sign_out()
    flash("Vous êtes déconnecté.")
    return headers.forget_pages(redirect(url_for("office.sign_in")))


def invitation(secret: str) -> Answer:
    """Choose a password and associate a telephone, all on the page of the link: a browser that
    comes from a mail sends no cookie (SameSite=Strict), so nothing can be kept for a second
    page."""
    headers.hide_address()
    found, form = invitations.find(secret), InvitationForm()
    if found is None:
        return render_template("office/dead_link.html"), 404
    if form.validate_on_submit():
        try:
            return _taken(found, form)
        except Spent:
            return render_template("office/dead_link.html"), 404
        except (Unsuitable, WrongCode) as refused:
            _say(form, refused)
    return _invitation_page(found.staff, form)


def _taken(found: StaffInvitation, form: InvitationForm) -> Answer:
    """Answer with the recovery codes, shown this once; with the sign-in if the agent keeps his."""
    given = form.new.data, form.code.data
    codes = invitations.take(found, *given, current.settings(), access.remote_address())
    if codes:
        return render_template("office/recovery_codes.html", codes=codes, first=True)
    flash("Votre mot de passe est enregistré.")
    return redirect(url_for("office.sign_in"))


def _say(form: InvitationForm, refused: Unsuitable | WrongCode) -> None:
    if isinstance(refused, WrongCode):
        form.code.errors = [WRONG_CODE]
    else:
        form.new.errors = [str(refused)]


def _invitation_page(staff: Staff, form: InvitationForm) -> Answer:
    settings = current.settings()
    shown: dict[str, str] = {}
    if staff.enrolled_at is None:
        issuer = f"Kiosque Famille – {settings.town.name}"
        secret = second_factor.secret(staff, settings.secret_key)
        shown = {
            "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            "qr_code": _qr_code(second_factor.address(staff, settings.secret_key, issuer)),
        }
    return form_page("office/invitation.html", form, staff=staff, **shown)


def _qr_code(address: str) -> Markup:
    """Return a QR code as SVG without inline style, which the page's policy forbids."""
    import segno  # noqa: PLC0415  # for this page only

    code = segno.make(address, error="m", micro=False)
    # Safe: we draw it, of figures only.
    return Markup(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff"))  # noqa: S704


def own_access() -> str:
    left = second_factor.recovery_codes_left(own_agent().staff)
    return render_template("office/own_access.html", left=left, form=ConfirmForm())


def renew_recovery_codes() -> str:
    """Answer with the new codes in this very page: they are not kept, so no other can show them."""
    codes = second_factor.renew_recovery_codes(own_agent().staff, actor())
    return render_template("office/recovery_codes.html", codes=codes, first=False)

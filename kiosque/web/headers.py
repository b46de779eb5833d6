"""The headers that every answer carries: only what is used is allowed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Two years, in seconds. Subdomains are not ours to decide for.
HSTS_SECONDS = 63_072_000
#: Features of a browser that our pages never ask for.
_UNUSED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "fullscreen", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get",
    "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # For browsers older than frame-ancestors.
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
}
_NOT_KEPT = ("Cache-Control", "no-store")
#: Key in a request's environment: another origin to which its page may send its form.
_FORM_ORIGIN = "kiosque.form_origin"
#: Key in a request's environment: the page's own address holds a secret.
_HIDDEN_ADDRESS = "kiosque.hidden_address"


def init_app(app: Flask) -> None:
    """Add the headers in WSGI middleware, so that every answer has them, whatever made it."""
    always = list(_ALWAYS.items())
    if app.extensions["settings"].https:
        always.append(("Strict-Transport-Security", f"max-age={HSTS_SECONDS}"))
    answer = app.wsgi_app

    def secured(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            policy = _content_policy(environ.get(_FORM_ORIGIN, ""))
            if not any("public" in value for name, value in headers if name == "Cache-Control"):
                headers = [each for each in headers if each[0] != "Cache-Control"] + [_NOT_KEPT]
            # Tell our own pages where a visitor comes from, unless the address holds a secret:
            # our forms need the origin. Tell the bank and other sites nothing of our addresses.
            referrer = "strict-origin" if environ.get(_HIDDEN_ADDRESS) else "same-origin"
            headers += [*always, ("Referrer-Policy", referrer), ("Content-Security-Policy", policy)]
            return start_response(status, headers, *rest)

        return answer(environ, start)

    app.wsgi_app = secured  # type: ignore[method-assign]


def allow_form_to(origin: str) -> None:
    """Let the page under way send its form to that origin, the bank's."""
    request.environ[_FORM_ORIGIN] = origin


def hide_address() -> None:
    """Let the page under way, whose address holds a secret, tell only its origin as Referer."""
    request.environ[_HIDDEN_ADDRESS] = True


def forget_pages(response: Response) -> Response:
    """Have the browser forget what it has shown of this site, so that its Back button shows the
    next person nothing. Not the cookies: it would erase those of the town's other sites too
    (Clear Site Data, W3C, 3.1, "cookies": of the registrable domain)."""
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _content_policy(form_origin: str) -> str:
    form_action = f"'self' {form_origin}".rstrip()
    # No page of ours asks for anything once loaded; Lighthouse, which measures pages, reads
    # robots.txt from them.
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )

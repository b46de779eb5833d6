"""The headers that every answer carries: only what is used is allowed."""

from flask import Flask, Response, current_app, g

#: Two years, in seconds. Subdomains are not ours to decide for.
HSTS_SECONDS = 63_072_000
#: What a browser may offer to pages, and ours never ask for.
_UNUSED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "fullscreen", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get",
    "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # For browsers older than frame-ancestors.
    "X-Frame-Options": "DENY",
    # Our own pages may know where a visitor comes from; the bank and other sites may not.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
}


def init_app(app: Flask) -> None:
    app.after_request(_secure)


def allow_form_to(origin: str) -> None:
    """Let the page under way send its form to that origin: the bank's."""
    g.form_origin = origin


def _secure(response: Response) -> Response:
    response.headers.extend(_ALWAYS)
    response.headers["Content-Security-Policy"] = _content_policy()
    if current_app.extensions["settings"].https:
        response.headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"
    if "public" not in response.headers.get("Cache-Control", ""):
        response.headers["Cache-Control"] = "no-store"
    return response


def _content_policy() -> str:
    form_action = " ".join(("'self'", *filter(None, [g.get("form_origin")])))
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )

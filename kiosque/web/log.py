"""The log of the site: lines of `name=value`, each with the number of its request.

The pages of errors show that number, and the proxy's own log has it: whoever has a page's reference
finds all that happened, traceback included, by one `grep`. No value that a visitor sent is in it.
"""

import json
import logging
import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import has_request_context, request
from flask.logging import wsgi_errors_stream

from kiosque.db.fields import to_text
from kiosque.language import clock

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: The loggers whose lines are written here; gunicorn writes its own.
LOGGERS = ("kiosque", "gateways")
#: Where a request's environment keeps its number.
_NUMBER = "kiosque.number"
_FORM = re.compile(r"[0-9a-f]{8}")


def init_app() -> None:
    """Write the lines to the error output, which systemd gives to the journal. Once a process."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            handler = logging.StreamHandler(wsgi_errors_stream)  # type: ignore[call-overload]
            handler.setFormatter(Lines())
            logger.addHandler(handler)


def believe_number(environ: "WSGIEnvironment") -> None:
    """Take the number that a proxy of ours gave to a request."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    if _FORM.fullmatch(given):
        environ[_NUMBER] = given


def number() -> str:
    """Return the number of the request under way: eight hexadecimal digits."""
    found: str = request.environ.setdefault(_NUMBER, secrets.token_hex(4))
    return found


class Lines(logging.Formatter):
    """Write a record as one line, and each line of its traceback as another. Texts are quoted as in
    JSON, so that none can fake a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = dict(_facts(record))
        lines = [f"{_pairs(told)} message={_quoted(record.getMessage())}"]
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            lines += [f"{_pairs(told)} trace={_quoted(line)}" for line in trace]
        return "\n".join(lines)


def _facts(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    yield "time", to_text(clock.now())
    yield "level", record.levelname.lower()
    yield "logger", record.name
    if has_request_context():
        yield "request", number()
        yield "page", str(request.endpoint or "-")


def _pairs(facts: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in facts.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

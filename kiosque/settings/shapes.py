"""The shapes of settings: an address, a network, a database, a secret that nobody knows."""

import ipaddress
import re
import ssl
import unicodedata
from urllib.parse import urlsplit

#: Words found in secrets that were copied from an example or typed by hand.
_KNOWN_WORDS = (
    "change", "secret", "default", "password", "motdepasse", "example", "exemple", "insecure",
    "kiosque", "azerty", "qwerty", "abcdefgh", "01234567", "12345678",
)  # fmt: skip


def is_invisible(letter: str) -> bool:
    """Return True for control characters, line separators and lone surrogates, but not for a
    no-break space."""
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def is_table_name(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9]{0,19}", name))


def is_email(text: str) -> bool:
    return bool(re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+", text))


def is_email_or_empty(text: str) -> bool:
    return not text or is_email(text)


def is_network(text: str) -> bool:
    """Accept an address or a network, but the whole Internet: anyone would be believed."""
    try:
        return text == "unix" or ipaddress.ip_network(text).prefixlen > 0
    except ValueError:
        return False


def is_public_url(text: str) -> bool:
    """Accept what needs no escaping, and no `+`: this address goes into the form we sign."""
    try:
        port = urlsplit(text).port
    except ValueError:
        return False
    return port != 0 and bool(re.fullmatch(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?", text))


def is_database(text: str) -> bool:
    """Accept a path, or the address of a PostgreSQL that names its database. libpq judges the
    rest when it is configured."""
    scheme, separator, _ = text.partition("://")
    if not separator:
        return not text.startswith("postgresql:")
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return scheme == "postgresql" and not parts.fragment and len(parts.path) > 1


def is_proxy(text: str) -> bool:
    """Accept nothing, or the address of an HTTP proxy with its port."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if not text:
        return True
    bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    return parts.scheme == "http" and bool(parts.hostname and port and bare)


def are_certificates(name: str) -> bool:
    """Accept no file, or one of certificates in PEM."""
    try:
        return not name or bool(ssl.create_default_context(cafile=name).get_ca_certs())
    except (OSError, ValueError):
        return False


def is_known_secret(secret: str) -> bool:
    """Tell a secret that others may know: it comes from an example, or was typed by hand."""
    return any(word in re.sub(r"[\s_-]", "", secret).lower() for word in _KNOWN_WORDS)


def is_in_clear(security: str, username: str, host: str) -> bool:
    return security == "none" and bool(username) and host not in ("localhost", "127.0.0.1", "::1")


def is_live(environment: str) -> bool:
    return environment == "production"

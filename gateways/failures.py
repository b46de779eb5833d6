"""Say in French why a bank's service gave no answer, without repeating any of its words."""

import ssl
from collections.abc import Iterator
from http.client import IncompleteRead

TOO_SLOW = "la banque répond trop lentement"
GARBLED = "la banque a répondu autre chose que des données lisibles"
_CLOSED = "le serveur mandataire ([network] proxy) ne laisse pas passer"
_STATUSES = {
    401: "la banque refuse les identifiants de la boutique",
    403: "la banque refuse les identifiants de la boutique",
    404: "la banque ne connaît pas ce service",
    429: "la banque demande d’attendre",
}


def of_status(status: int) -> str:
    """Say what an HTTP status that is not accepted means."""
    if 300 <= status < 400:
        return "la banque renvoie vers une autre adresse"
    return _STATUSES.get(status) or ("la banque est en panne" if status >= 500 else GARBLED)


def of_error(error: BaseException) -> str:
    """Say what stopped a call, by the most precise of the errors that caused it."""
    import requests  # noqa: PLC0415
    from urllib3.exceptions import (  # noqa: PLC0415
        LocationParseError,
        NameResolutionError,
        ProtocolError,
    )

    kinds: dict[type[BaseException], str] = {
        requests.exceptions.ProxyError: _CLOSED,
        ssl.SSLCertVerificationError: "le certificat de la banque n’est pas valable",
        ssl.SSLError: "la connexion chiffrée avec la banque échoue",
        NameResolutionError: "le nom de la banque est introuvable",
        LocationParseError: "le nom de la banque est introuvable",
        requests.exceptions.InvalidURL: "le nom de la banque est introuvable",
        TimeoutError: TOO_SLOW,
        requests.exceptions.Timeout: TOO_SLOW,
        IncompleteRead: "la réponse de la banque est incomplète",
        ConnectionError: "la connexion avec la banque échoue",
        ProtocolError: GARBLED,
        OSError: "la connexion avec la banque échoue",
    }
    causes = list(_causes(error))
    found = (words for kind, words in kinds.items() if any(isinstance(it, kind) for it in causes))
    return next(found, GARBLED)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, those it was raised from, and those wrapped in it."""
    while error is not None:
        yield error
        for wrapped in error.args:
            # The `reason` of a TLS error is a text, not an exception.
            reason = getattr(wrapped, "reason", None)
            inner = reason if isinstance(reason, BaseException) else wrapped
            if isinstance(inner, BaseException):
                yield from _causes(inner)
        error = error.__cause__ or error.__context__

"""Say in French why the database does not answer: its libraries' words are English."""

from kiosque import os_errors

_WORDS = {
    "BusyError": "une autre écriture n’en finit pas",
    "CantOpenError": "elle ne s’ouvre pas",
    "CorruptError": "elle est abîmée",
    "DiskFull": "le disque est plein",
    "FullError": "le disque est plein",
    "IOError": "le disque ne se laisse pas lire ou écrire",
    "NotADBError": "ce fichier n’est pas une base",
    "OperationalError": "PostgreSQL ne répond pas, ou refuse",
    "ReadOnlyError": "elle ne se laisse pas écrire",
    "SQLError": "une table ou une colonne manque",
}


def why(error: BaseException) -> str:
    """Return the reason of a database error in French, found by the class of the apsw or psycopg
    error that caused it. For a class without a sentence here, give its SQLSTATE or its name. The
    errors that this package raises are in French already."""
    cause = error.__cause__ or error.__context__ or error
    if type(cause).__module__.partition(".")[0] not in ("apsw", "psycopg"):
        return str(error.args[-1]) if error.args else type(error).__name__
    name = type(cause).__name__
    return _WORDS.get(name) or f"erreur {getattr(cause, 'sqlstate', None) or name}"


def is_full(error: BaseException) -> bool:
    """Return True if a full disk caused an error, be it the database's or the system's."""
    behind: BaseException | None = error
    while behind:
        if type(behind).__name__ in ("DiskFull", "FullError") or os_errors.is_full(behind):
            return True
        behind = behind.__cause__ or behind.__context__
    return False

"""Say in French why the operating system refuses something: its own words are English."""

import errno

_WORDS = {
    errno.ENOENT: "ce chemin n’existe pas",
    errno.EACCES: "accès refusé à ce compte",
    errno.EPERM: "accès refusé à ce compte",
    errno.EEXIST: "ce nom est déjà pris",
    errno.EISDIR: "c’est un dossier",
    errno.ENOTDIR: "un fichier est à la place d’un dossier",
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "le disque est plein pour ce compte",
    errno.EROFS: "le disque est en lecture seule",
}


def why(error: OSError) -> str:
    """Return the reason of a refusal, by its number; an unusual one's code."""
    number = error.errno or 0
    code = errno.errorcode.get(number, "inconnue")
    return _WORDS.get(number) or f"erreur {code} du système"


def is_full(error: BaseException) -> bool:
    """Tell whether the disk has no room, or none left for this account."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)

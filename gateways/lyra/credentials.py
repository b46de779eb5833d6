"""Recognise a key or a password that was copied wrongly, without ever repeating it.

For each mode, a shop has one key for the form (tab « Clés »); for the REST service (tab « Clés
d'API REST »), it has a password, a public key and another HMAC key. They are easily confused.
Source: "retrieving the keys", in the documentations of the form and of the REST service.
"""

import re

BACK_OFFICE = "back office de la banque : Paramétrage > Boutique"
KEYS = f"{BACK_OFFICE} > Clés"
API_KEYS = f"{BACK_OFFICE} > Clés d’API REST"

#: Lengths: a key of the form has 16 characters, an HMAC key of the REST service over 40.
SHORTEST, LONGEST = 16, 40
#: Sixteen random digits have fewer different ones than this less than once in a million.
_FEWEST_LETTERS = 4
_MODES = {"testpassword_": "test", "prodpassword_": "production"}


def key_fault(key: str) -> str:
    """Say in French why this cannot be a key of the form; return "" if it can.

    White space around it comes from the bank's page and is no fault.
    """
    key = key.strip()
    if fault := _copied_wrong(key):
        return fault
    if re.search("(test|prod)password_", key):
        return "c’est un mot de passe du service REST ; attendu la clé du formulaire"
    if len(key) < SHORTEST:
        return f"trop courte : attendu les {SHORTEST} caractères de la clé du formulaire"
    if len(key) > LONGEST:
        return (
            "trop longue : sans doute la clé HMAC-SHA-256 de l’API REST ; attendu celle du "
            f"formulaire, de {SHORTEST} caractères"
        )
    if len(set(key)) < _FEWEST_LETTERS:
        return "écrite à la main ; copiez celle de la banque"
    return ""


def password_fault(password: str, prefix: str) -> str:
    """Say in French why this cannot be the REST password with this prefix; "" if it can."""
    password = password.strip()
    expected = f"attendu {prefix} suivi d’au moins {SHORTEST} caractères"
    if fault := _copied_wrong(password):
        return f"{expected} ; {fault}"
    for other, mode in _MODES.items():
        if other != prefix and password.startswith(other):
            return f"{expected} ; c’est le mot de passe de {mode}"
    if not password.startswith(prefix):
        return f"{expected} ; ce n’en est pas un, peut-être une clé"
    own = password.removeprefix(prefix)
    if len(own) < SHORTEST or len(set(own)) < _FEWEST_LETTERS:
        return f"{expected} ; copiez celui de la banque en entier"
    return ""


def _copied_wrong(text: str) -> str:
    if re.search("[*•●…]|\\.\\.\\.", text) or re.fullmatch("[xX]{4,}", text):
        return (
            "copiée masquée, telle que la page la montre ; une clé déjà en service n’y est plus "
            "lisible : reprenez-la où elle est gardée, ou faites-en une autre"
        )
    if "publickey_" in text:
        return "c’est une clé publique, faite pour un navigateur"
    if not re.fullmatch("[!-~]*", text, re.ASCII):
        return "elle contient une espace, un saut de ligne ou un signe qui n’en est pas"
    return ""

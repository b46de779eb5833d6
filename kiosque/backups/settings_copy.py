"""The town's settings in a backup: readable without their secrets, and whole for the one who has
the secret key of `backup.recipient`. The program age encrypts: docs/choices.md."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from kiosque.backups import programs
from kiosque.settings import loading

REDACTED, WHOLE = "settings/kiosque.toml", "settings/kiosque.toml.age"
#: A key with one of these words in its name is a secret, also in a stranger's adapter. An address
#: with a password is one too, and the words of the command that sends backups away may be.
_SECRET = re.compile("key|pass|token|secret|credential|salt|hmac|pin$|^offsite$")
_HIDDEN = "à remettre"
_SECONDS = 60


def encrypted(environ: Mapping[str, str], recipient: str) -> bytes:
    """Return the file of settings and the overrides of the environment, encrypted. Raises
    ProgramFailed."""
    text = loading.config_path(environ).read_text(encoding="utf-8")
    over = [
        f"# {name}={value}"
        for name, value in sorted(environ.items())
        if name.startswith(loading.PREFIX)
    ]
    whole = "\n".join([text, "# L’environnement de la sauvegarde :", *over, ""])
    words = ("age", "--encrypt", "--recipient", recipient)
    return programs.run(words, seconds=_SECONDS, given=whole.encode())


def redacted(environ: Mapping[str, str]) -> bytes:
    """Return the file of settings without its secrets."""
    return without_secrets(loading.config_path(environ).read_text(encoding="utf-8")).encode()


def without_secrets(toml: str) -> str:
    """Return settings as TOML, a word in place of each secret."""
    note = "# Copie sans les secrets, ni les commentaires : remettez-les avant de vous en servir."
    return "\n".join([note, *_table(tomllib.loads(toml)), ""])


def files(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield the name in the backup and the path of each file that the settings name."""
    tree = tomllib.loads(loading.config_path(environ).read_text(encoding="utf-8"))
    for table, key in (("town", "logo"), ("network", "authorities")):
        named = tree.get(table, {}).get(key)
        if named and Path(named).is_file():
            yield f"settings/{key}{Path(named).suffix}", Path(named)


def _table(tree: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """Write a table: its own keys, then the tables in it."""
    if name:
        yield f"\n[{name}]"
    inner = {key: value for key, value in tree.items() if isinstance(value, dict)}
    for key, value in tree.items():
        if key not in inner:
            yield f"{_word(key)} = {_value(_HIDDEN if _is_secret(key, value) else value)}"
    for key, table in inner.items():
        yield from _table(table, f"{name}.{_word(key)}" if name else _word(key))


def _is_secret(key: str, value: object) -> bool:
    named = _SECRET.search(key.lower()) is not None
    return named or ("://" in str(value) and "@" in str(value))


def _value(value: object) -> str:
    """Write a value as TOML: JSON's strings, numbers, lists and truths are TOML's."""
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


def _word(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else json.dumps(key)

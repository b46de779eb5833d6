"""The faults of the machine that holds the settings and the data: who else may read them."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def readable_secrets(path: Path, tree: Mapping[str, Any]) -> list[str]:
    """Return the fault of a file of settings that holds a secret and that every account of the
    machine may read."""
    gateways = tree.get("gateways", {}).values()
    held = tree.get("secret_key") or tree.get("mail", {}).get("password")
    held = held or tree.get("monitoring", {}).get("token")
    tables = [tree.get("office", {}), tree.get("regie", {}), *tree.get("regies", {}).values()]
    held = held or any(table.get("api_token") for table in tables)
    held = held or "://" in str(tree.get("database", ""))
    held = held or "@" in str(tree.get("network", {}).get("proxy", ""))
    held = held or any(name.endswith(("key", "password")) for table in gateways for name in table)
    if held and path.stat().st_mode & stat.S_IROTH:
        return [f"{path} : lisible par tous alors qu’il contient des secrets (chmod 640)"]
    return []


def faults(data: Path, environ: Mapping[str, str]) -> list[str]:
    """Return what production refuses of the machine itself."""
    found = []
    if data.exists() and data.stat().st_mode & stat.S_IRWXO:
        found.append(f"KIOSQUE_DATA : {data} est ouvert à tous les comptes (chmod 750)")
    if environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        found.append("FLASK_DEBUG : le mode de mise au point est interdit en production")
    return found

"""Find what ships with the code: templates, the demo town, gunicorn's settings; the command's name.

They lie beside the packages in the source tree, and inside `kiosque` once installed, where
pyproject.toml puts them.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent
#: The source tree; None once installed.
SOURCE_TREE = None if (_PACKAGE / "templates").exists() else _PACKAGE.parent


def find(name: str) -> Path:
    """Return where the file or folder of that name is: `templates`, `data/demo`."""
    return (SOURCE_TREE or _PACKAGE) / name


def typed(command: str) -> str:
    """Return a command as it is typed here: `kiosque sautron verify` on a town's machine, where
    deploy/ sets KIOSQUE_COMMAND; `python app.py verify` in the source tree."""
    own = "python app.py" if SOURCE_TREE else "kiosque"
    return f"{os.environ.get('KIOSQUE_COMMAND') or own} {command}"

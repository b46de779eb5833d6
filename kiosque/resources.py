"""Find the files that ship with the code: templates, the demo town, gunicorn's settings.

They lie beside the packages in the source tree, and inside `kiosque` once installed, where
pyproject.toml puts them.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
#: The source tree; None once installed.
SOURCE_TREE = None if (_PACKAGE / "templates").exists() else _PACKAGE.parent


def find(name: str) -> Path:
    """Return where the file or folder of that name is: `templates`, `data/demo`."""
    return (SOURCE_TREE or _PACKAGE) / name

"""Who runs a command: the author of what it changes, which the books name for ever."""

import os
import pwd

import click


def _author(_context: click.Context, option: click.Parameter, typed: str | None) -> str:
    """Return the account that called `sudo`, which no option may replace; else the option typed;
    else the account of the session. A caller that is root does not count: root is nobody in
    particular.
    """
    caller = os.environ.get("SUDO_USER", "")
    if not caller or caller == "root":
        return typed or _session()
    if typed:
        raise click.BadParameter(f"l’auteur est votre compte, {caller} : ôtez-la.", param=option)
    return caller


def _session() -> str:
    try:
        return os.getlogin()
    except OSError:  # no session: a timer, a container
        return pwd.getpwuid(os.getuid()).pw_name


AUTHOR = click.option(
    "--author",
    callback=_author,
    help="Qui agit, là où sudo ne le dit pas.  [par défaut : le compte de la session]",
)

"""The site and the mock bank, as they are installed: gunicorn by deploy/gunicorn.conf.py behind
nginx by deploy/nginx, the bank in a process of its own, the timers."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bank import KEY
from tests.load import front, town
from tests.load.process import PROJECT, Tree, begun, free_port, python, wait_for
from tests.sites import BANK_PASSWORD, settle

CONFIG = str(PROJECT / "deploy" / "gunicorn.conf.py")


@dataclass
class Site:
    """`trees` are the processes, by who they are."""

    folder: Path
    url: str
    log: Path
    certificate: Path | None
    bank_database: Path
    trees: dict[str, Tree] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"KIOSQUE_DATA": str(self.folder)}

    def run(self, *arguments: str) -> tuple[int, str]:
        """`python app.py ...`: its status, and what it said."""
        done = subprocess.run(
            python("app.py", *arguments),
            cwd=PROJECT,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


@contextmanager
def open_site(folder: Path, families: int) -> Iterator[Site]:
    """A town of so many families, with two invoices each to pay. Without nginx on this machine,
    gunicorn alone, over http."""
    behind = front.prepare(folder) if front.NGINX else None
    port, bank_port = free_port(), free_port()
    url = behind.url if behind else f"http://127.0.0.1:{port}"
    heard = f"http://127.0.0.1:{behind.http_port if behind else port}"
    settle(folder, url, bank=f"http://127.0.0.1:{bank_port}", proxy="unix", letters=False)
    town.build(folder, families)
    site = Site(
        *(folder, url, folder / "gunicorn.log", behind.certificate if behind else None),
        folder / "bank.sqlite3",
    )
    bind = f"unix:{behind.socket}" if behind else f"127.0.0.1:{port}"
    serve = python("-m", "gunicorn", "--config", CONFIG, "--bind", bind, "app:create_app()")
    with (
        begun(serve, site.log, site.environment) as site.trees["site"],
        _bank(site, bank_port, heard) as site.trees["bank"],
    ):
        door = behind.socket if behind else ("127.0.0.1", port)
        wait_for(door, site.trees["site"], site.log)
        if behind is None:
            yield site
            return
        with front.serving(behind) as started:
            assert started.tree
            site.trees["nginx"] = started.tree
            yield site


@contextmanager
def _bank(site: Site, port: int, heard: str) -> Iterator[Tree]:
    environment = {
        "SANDBOX_KEY": KEY,
        "SANDBOX_PASSWORD": BANK_PASSWORD,
        "SANDBOX_NOTIFY_URL": f"{heard}/paiement/notification/banque",
        "SANDBOX_DATABASE": str(site.bank_database),
    }
    serve = python(
        *("-m", "gunicorn", "gateways.sandbox.server:create_bank()", "--no-control-socket"),
        *("--bind", f"127.0.0.1:{port}", "--threads", "16", "--log-level", "warning"),
    )
    log = site.folder / "bank.log"
    with begun(serve, log, environment) as tree:
        wait_for(("127.0.0.1", port), tree, log)
        yield tree

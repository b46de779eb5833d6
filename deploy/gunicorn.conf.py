"""Settings of gunicorn: `gunicorn --config deploy/gunicorn.conf.py 'app:create_app()'`.

Why this server and these numbers: docs/servers.md. An option on the command line wins over this
file; under systemd the socket is systemd's.
"""

import ctypes
import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

#: mallopt(3): their numbers in <malloc.h>.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def _setting(name: str, default: int) -> int:
    """Return a number of the table `[server]`, read as `kiosque/settings/loading.py` does, whose
    import would keep the site's code in the master. One that is refused is the default here:
    `on_starting` says so."""
    written = os.environ.get(f"KIOSQUE_SERVER_{name.upper()}")
    data = os.environ.get("KIOSQUE_DATA") or "data"
    file = Path(os.environ.get("KIOSQUE_CONFIG") or f"{data}/kiosque.toml")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("server", {})
        return int(written or table.get(name, default))
    except (OSError, ValueError, TypeError, AttributeError):
        return default


# A worker to a core: a page is nearly all computing. `[server] workers` says how many.
workers = _setting("workers", 2)
# A thread waits for the bank's answer, for its turn to write, for the password hash: more of them
# than the 164 places of the three gates of `families.hashing`, so that pages find one.
worker_class = "gthread"
threads = _setting("threads", 180)

# A worker frozen for this long is killed: no page lasts so long.
timeout = 30
# What is under way when told to stop or to reload has this long to end.
graceful_timeout = 20
# Workers touch a file now and then to say that they live: never on a slow disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108  # unlinked at once

# A bank that answers by the payer's address writes some 3 500 letters in it.
limit_request_line = 8190

# nginx writes the access log, without the secrets of links; what goes wrong goes to the journal.
accesslog = None
errorlog = "-"
loglevel = "warning"

# Nothing here is steered by a socket of gunicorn's own.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Try the settings once, before any worker and in a process of its own. Refused, they end the
    service with status 3; of two workers that refuse them at once, one may make it 1, and systemd
    would begin again for ever."""
    tried = subprocess.run(
        [sys.executable, "-c", "import app; app.create_app()"], cwd=server.cfg.chdir, check=False
    )
    if tried.returncode:
        sys.exit(tried.returncode)


def post_fork(_server: Any, _worker: Any) -> None:
    """Keep, in a worker, the memory of the password hashes that may run at once: three, one a gate
    of `families.hashing`, 19 MiB each, in one heap. By itself glibc would keep as much for every
    thread; told to keep nothing, it has the system clear it again for each hash, at the price of
    ten milliseconds."""
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024)
        mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024)

"""nginx in front of several nodes, as a town would put it there: each request to one or the other,
and past one that does not answer."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

#: What a node that was killed costs is seen at once; nothing is sent to two nodes that one of them
#: may have begun.
_CONFIGURATION = """
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream nodes {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://nodes;
            proxy_set_header Host $http_host;
            proxy_next_upstream error;
            proxy_connect_timeout 2s;
        }}
    }}
}}
"""


def program() -> str | None:
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class Balancer:
    def __init__(self, folder: Path, port: int, nodes: Sequence[int]) -> None:
        servers = " ".join(f"server 127.0.0.1:{node} max_fails=0;" for node in nodes)
        self._path = folder / "nginx.conf"
        user = "" if os.geteuid() else "user root;\n"  # its folder is ours alone
        self._path.write_text(
            _CONFIGURATION.format(folder=folder, port=port, servers=servers, user=user)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process:
            return
        command = [program() or "nginx", "-c", str(self._path), "-p", str(self._path.parent)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

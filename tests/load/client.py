"""A browser of few means: cookies, kept connections, compressed pages, an address of its own."""

import asyncio
import gzip
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

#: A browser waits longer; a family does not.
PATIENCE_SECONDS = 60

Form = Sequence[tuple[str, str]]
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Broken(Exception):
    """No answer came."""


@dataclass(frozen=True)
class Answer:
    url: str
    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def location(self) -> str:
        return urljoin(self.url, self.headers.get("location", ""))


class Browser:
    """`address` is where it connects from: one of 127.0.0.0/8, all this machine's. Cookies are
    kept by host and port, `Secure` or not."""

    def __init__(self, address: str = "127.0.0.1", certificate: Path | None = None) -> None:
        self._address = address
        self._tls = _tls(certificate) if certificate else None
        self._connections: dict[str, _Connection] = {}
        self._cookies: dict[str, dict[str, str]] = {}

    async def get(self, url: str) -> Answer:
        return await self._ask("GET", url, None)

    async def post(self, url: str, form: Form) -> Answer:
        return await self._ask("POST", url, urlencode(form).encode())

    def cookie(self, url: str) -> str:
        """The header's value, for this site."""
        held = self._cookies.get(urlsplit(url).netloc, {})
        return "; ".join(f"{name}={value}" for name, value in held.items())

    def remember(self, url: str, name: str, value: str) -> None:
        """Hold a cookie of this site's that it has not given."""
        self._cookies.setdefault(urlsplit(url).netloc, {})[name] = value

    async def close(self) -> None:
        for origin in list(self._connections):
            await self._drop(origin)

    async def _drop(self, origin: str) -> None:
        if connection := self._connections.pop(origin, None):
            connection[1].transport.abort()
            with suppress(OSError, EOFError):
                await connection[1].wait_closed()

    async def _ask(self, method: str, url: str, body: bytes | None) -> Answer:
        before = time.perf_counter()
        origin = urlsplit(url).netloc
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, headers, content = await self._exchange(method, url, body)
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            await self._drop(origin)
            raise Broken(type(error).__name__) from None
        text = content.decode(errors="replace")
        return Answer(url, status, headers, text, time.perf_counter() - before)

    async def _exchange(
        self, method: str, url: str, body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        origin = urlsplit(url).netloc
        reader, writer = await self._connect(url)
        writer.write(self._head(method, url, body) + (body or b""))
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers: dict[str, str] = {}
        for line in filter(None, lines[1:]):
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                self._keep(origin, value)
            headers[name.lower()] = value
        content = await _content(reader, headers)
        if headers.get("connection") == "close":
            await self._drop(origin)
        return int(lines[0].split()[1]), headers, content

    async def _connect(self, url: str) -> _Connection:
        """The connection kept to this site, unless it has been closed over there; or a new one."""
        parts = urlsplit(url)
        held = self._connections.get(parts.netloc)
        if held and not held[0].at_eof() and not held[1].is_closing():
            return held
        await self._drop(parts.netloc)
        made = await asyncio.open_connection(
            parts.hostname,
            parts.port,
            ssl=self._tls if parts.scheme == "https" else None,
            local_addr=(self._address, 0),
        )
        self._connections[parts.netloc] = made
        return made

    def _head(self, method: str, url: str, body: bytes | None) -> bytes:
        parts = urlsplit(url)
        lines = [
            f"{method} {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Accept-Encoding: gzip",
        ]
        if cookie := self.cookie(url):
            lines.append(f"Cookie: {cookie}")
        if body is not None:
            lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _keep(self, origin: str, line: str) -> None:
        given: SimpleCookie = SimpleCookie()
        given.load(line)
        for name, morsel in given.items():
            self._cookies.setdefault(origin, {})[name] = morsel.value


@cache
def _tls(certificate: Path) -> ssl.SSLContext:
    """One for all: each takes 0.3 MB."""
    return ssl.create_default_context(cafile=certificate)


async def _content(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        content = b"".join(pieces)
    elif "content-length" in headers:
        content = await reader.readexactly(int(headers["content-length"]))
    else:
        content = await reader.read()
    return gzip.decompress(content) if headers.get("content-encoding") == "gzip" else content

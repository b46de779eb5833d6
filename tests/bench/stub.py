"""A bank's REST service that finds every order paid, as quickly as a bank might."""

import asyncio
import json
import re
import socket
import time
from datetime import UTC, datetime

from gateways.base import Order
from tests.bank import envelope, order_answer, transaction

#: A bank is some way off, and has work of its own.
SECONDS = 0.02
_REFERENCE = re.compile(rb'"orderId": ?"(\w+)"')


def run(port: int) -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(port))


def wait(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:  # somebody who only looks whether we are there
        writer.close()
        return
    length = re.search(rb"(?i)content-length: (\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    await asyncio.sleep(SECONDS)
    found = _REFERENCE.search(body)
    text = json.dumps(_paid(found[1].decode() if found else "")).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n" % len(text) + text
    )
    await writer.drain()
    writer.close()


def _paid(reference: str) -> object:
    order = Order(reference, 1, 4520, "", datetime.now(UTC), "", "")
    return envelope(
        "Order/Get",
        order_answer(
            order,
            transaction(
                order,
                transactionDetails__cardDetails__legacyTransId=None,
                transactionDetails__cardDetails__legacyTransDate=None,
                uuid=reference[2:].replace("A", "a").rjust(32, "0"),
            ),
        ),
    )

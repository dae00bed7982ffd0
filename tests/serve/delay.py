"""A way to a server that takes longer: everything it says arrives so much later, in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 2**16


@contextmanager
def delayed(address: str, added_s: float) -> Iterator[str]:
    """Listen within the context, and give the address of the longer way.

    Args:
        address: Of the server, `host:port`.
        added_s: How much later what it says arrives, s.
    """
    host, port = address.split(":")
    started = threading.Event()
    listening = ""
    ended: asyncio.Event
    loop: asyncio.AbstractEventLoop

    async def forward(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, after_s: float
    ) -> None:
        with suppress(ConnectionError):
            while said := await reader.read(_CHUNK):
                await asyncio.sleep(after_s)
                writer.write(said)
                await writer.drain()
        writer.close()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(forward(reader, back, 0.0), forward(there, writer, added_s))

    async def run() -> None:
        nonlocal listening, ended, loop
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await asyncio.start_server(one, "127.0.0.1", 0) as server:
            listening = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    started.wait()
    try:
        yield listening
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()

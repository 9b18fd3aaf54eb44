"""A TCP listener in front of a unix socket that holds back every answer: a database that has become slow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Self

from tests.checks.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path


class SlowProxy:
    """Listens on `port`; each piece of an answer comes `seconds` later. Use it as a context."""

    def __init__(self, socket: Path, seconds: float, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = free_port()
        self._socket = socket
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=20)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, self.address, self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        with contextlib.suppress(RuntimeError):
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_unix_connection(str(self._socket / ".s.PGSQL.5432"))
        tasks = {
            asyncio.create_task(self._copy(near, forth, 0.0)),
            asyncio.create_task(self._copy(far, back, self._seconds)),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            forth.close()
            back.close()

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                await asyncio.sleep(seconds)
                writer.write(piece)
                await writer.drain()

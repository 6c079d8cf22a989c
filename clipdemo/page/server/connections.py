"""Connections: as many as this process may have open, and none that waits without end.

uvicorn gives a client unlimited time to send the head of a request, and accepts connections until
no more files can be opened. One script could keep everybody else out.
"""

from __future__ import annotations

import logging
import os
import sys
from asyncio import TimerHandle, Transport
from contextlib import suppress
from typing import ClassVar

import h11
from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.h11_impl import H11Protocol

if sys.platform != "win32":
    import resource

HEAD = 20.0  # seconds in which the head of a request must arrive
REST = 120.0  # seconds for the rest of a body that was answered before its end
FILES = 2**14  # open files and connections, if the system allows so many
# On a Space, only its proxies connect; uvicorn believes these what they say about visitors.
INSIDE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
FULL = "Connections had to wait, as no more files could be opened: raise the limit (ulimit -n)."


class Connection(H11Protocol):
    """uvicorn's, which ends if no request is complete in time.

    If there are too many, the one that has been waiting for the longest time ends.

    Attributes:
        most: connections at the same time.
        waiting: those whose request has not arrived yet, the oldest first.
    """

    most: ClassVar[int] = FILES
    waiting: ClassVar[dict[Connection, TimerHandle]] = {}

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self.most:
            next(iter(self.waiting))._end()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Begin to wait for a request, unless one is being answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self not in self.waiting:
            limit = REST if self.conn.their_state is h11.SEND_BODY else HEAD
            self.waiting[self] = self.loop.call_later(limit, self._end)

    def _forget(self) -> None:
        if self in self.waiting:
            self.waiting.pop(self).cancel()

    def _end(self) -> None:
        self._forget()
        self.transport.abort()


def bound_connections() -> None:
    """Let uvicorn use `Connection`, with as many open files as the system allows, up to `FILES`."""
    HTTP_PROTOCOLS["auto"] = f"{__name__}:Connection"
    logging.getLogger("asyncio").addFilter(_Once())
    if "SPACE_ID" in os.environ:
        os.environ.setdefault("FORWARDED_ALLOW_IPS", INSIDE)
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if resource.RLIM_INFINITY != soft < FILES:
            wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
            with suppress(OSError, ValueError):  # macOS has another limit
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            Connection.most = soft * 3 // 4  # photos, models and uploads need some, too


class _Once(logging.Filter):
    """One line about connections that are not accepted; asyncio logs up to 2,000 a second."""

    told = False

    def filter(self, record: logging.LogRecord) -> bool:
        if "socket.accept() out of system resource" not in record.getMessage():
            return True
        record.msg, record.exc_info = FULL, None
        told, self.told = self.told, True
        return not told

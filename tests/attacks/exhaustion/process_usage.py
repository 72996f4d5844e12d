"""What a started server weighs and costs, read from outside, and raw exchanges with it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path

from tests.server import Server

_TICKS = os.sysconf("SC_CLK_TCK")


def exchange(server: Server, *pieces: bytes, seconds: float = 60) -> bytes:
    """What comes back until the connection closes, which `<closed>` tells, or for `seconds`."""
    heard = b""
    away = contextlib.suppress(ConnectionError, TimeoutError)
    with away, socket.create_connection(server.address, seconds) as client:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
        with contextlib.suppress(ConnectionError):
            while piece := client.recv(65536):
                heard += piece
        heard += b"<closed>"
    return heard


def resident(server: Server) -> float:
    """MB that the serving process holds now."""
    return _status(server, "VmRSS")


def reset_peak(server: Server) -> float:
    """Begin to watch for a new peak; MB held now."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    return resident(server)


def peak(server: Server) -> float:
    """The most MB that it held since `reset_peak`, however shortly."""
    return _status(server, "VmHWM")


def cpu_time(server: Server) -> float:
    """Seconds of processor it has had so far, all threads together."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status(server: Server, name: str) -> float:
    found = re.search(rf"{name}:\s+([0-9]+) kB", Path(f"/proc/{server.process.pid}/status").read_text(), re.ASCII)
    assert found is not None
    return int(found[1]) / 1024

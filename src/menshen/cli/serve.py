"""Provide `menshen serve`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from menshen.cli.opening import DEFAULT_DATA, common_options, settings_of
from menshen.cli.showing import show_json

_NAME: Final = "menshen"

if TYPE_CHECKING:
    from menshen.app.process.serve import Listening


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0: any free one.  [default: 8400]",
)
@click.option("--workers", metavar="N", type=click.IntRange(1, 256), help="Number of worker processes.  [default: 1]")
@common_options
def serve(
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> int:
    """Run the server until SIGTERM or Ctrl-C."""
    given = {"host": host, "port": port, "workers": workers}
    settings = settings_of(data, config, serves=True)
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **chosen))

    from menshen.app.keys_file import find_readers
    from menshen.app.settings.checks import refuse_contradictions
    from menshen.app.telemetry.logs import configure_logs
    from menshen.app.world import SystemWorld

    world = SystemWorld()
    warnings = [*refuse_contradictions(settings, world.now()), *find_readers(settings)]
    configure_logs(settings.log.level)

    import structlog

    from menshen.app.process import serve as serving

    log = structlog.get_logger("menshen.serve")

    def announce(listening: Listening) -> None:
        for finding in (*warnings, *listening.warnings):
            log.warning("settings.odd", key=finding.key, text=finding.text)
        log.info("listening", url=listening.url, pid=os.getpid(), workers=settings.server.workers)
        _print_greeting(listening, _options(data, config), as_json=as_json)

    code = serving.serve(settings, world, announce)
    log.info("stopped", code=code)
    return code


def _options(data: Path, config: Path | None) -> str:
    """Return the options that name this installation, for another command."""
    options: list[Any] = ["--data", data.absolute()] if data != DEFAULT_DATA else []
    options += ["--config", config.absolute()] if config else []
    return "".join(f" {shlex.quote(str(option))}" for option in options)


def _program() -> str:
    """Return the word that starts this program in a shell: its name, or its path when it is not in PATH."""
    started = Path(sys.argv[0])
    found = shutil.which(_NAME)
    if started.name != _NAME or not started.is_file() or (found and Path(found).samefile(started)):
        return _NAME
    return shlex.quote(str(started.absolute()))


def _print_greeting(listening: Listening, options: str, *, as_json: bool) -> None:
    appkey = listening.default_app.appkey if listening.default_app else None
    if as_json:
        show_json({"url": listening.url, "appkey": appkey, "pages": listening.has_pages})
    else:
        print(f"Menshen listens on {listening.url}")
        if listening.has_pages:
            print(f"  log in           {listening.url}/login")
        print(f"  app `default`    appkey {appkey or '(not known until the database answers)'}")
        program = _program()
        print(f"  its secret       {program} app show default --secret{options}")
        print(f"  add an account   {program} account add --username NAME --password-stdin{options}")
        print(f"  read sent codes  {program} outbox{options}")
        print(f"  documentation    {listening.url}/docs", flush=True)

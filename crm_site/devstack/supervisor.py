"""Keeping the processes of one machine running, and ending all of them."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from crm_site.devstack.spawning import Child, command_line_of, stop_all

POLL_SECONDS = 0.2
STOP_TIMEOUT_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Starts children, starts those again that die, and stops them all when asked.

    ``report`` gets a line for people. ``register`` names a file that lists what runs, so that a
    later start can end what a crash of ours left behind.
    """

    def __init__(
        self, children: list[Child], register: Path, report: Callable[[str], None]
    ) -> None:
        self.children, self.register, self.report = children, register, report
        self.is_stopping = False

    def listen(self) -> None:
        """From here on a signal asks for an orderly end; a second one insists."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: object) -> None:
        if self.is_stopping:
            for child in self.children:
                child.kill_group()
        self.is_stopping = True

    def start(self) -> None:
        for child in self.children:
            child.start()
        self._write_register()

    def run(self, every_poll: Callable[[], None]) -> None:
        """Watch over the children until a signal asks to stop."""
        while not self.is_stopping:
            self.look_after()
            every_poll()
            time.sleep(POLL_SECONDS)

    def look_after(self) -> None:
        """Report each child that ended, and start again each whose wait is over."""
        for child in self.children:
            if child.has_ended():
                code = child.note_end()
                wait = max(0.0, child.next_start_at - time.monotonic())
                self.report(f"{child.name} ended ({_meaning(code)}); again in {wait:.1f} s.")
                if tail := child.log_tail():
                    self.report(f"Its log, {child.log}, ends:\n{tail}")
            if child.is_due():
                child.start()
                self._write_register()

    def stop(self) -> None:
        """End every child with everything it started."""
        self.is_stopping = True
        stop_all(self.children, timeout_seconds=STOP_TIMEOUT_SECONDS)
        self.register.unlink(missing_ok=True)

    def _write_register(self) -> None:
        running = {child.name: child.process.pid for child in self.children if child.process}
        written = self.register.with_suffix(".new")
        written.write_text(json.dumps(running), encoding="utf-8")
        written.replace(self.register)


def end_leftovers(register: Path, project: Path) -> list[str]:
    """End what an earlier run left behind. Returns the names of what was found.

    Children end by themselves when their supervisor does; this is for one that hung.
    """
    try:
        running: dict[str, int] = json.loads(register.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    found = [name for name, pid in running.items() if _is_ours(pid, project)]
    for name in found:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running[name], signal.SIGKILL)
    register.unlink(missing_ok=True)
    return found


def _is_ours(pid: int, project: Path) -> bool:
    """Whether that number still belongs to a child of ours: it may have been given away."""
    with contextlib.suppress(OSError):
        is_here = Path(f"/proc/{pid}/cwd").resolve() == project
        return is_here and "crm_site" in command_line_of(pid)
    return False


def _meaning(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

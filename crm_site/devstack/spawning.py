"""Running other programs so that none outlives us, however we end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
STEADY_SECONDS = 60.0  # Alive for that long, a program's earlier ends are forgiven.
LOG_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What to run. ``user`` needs root; ``orphan_signal`` is sent to it should we vanish."""

    arguments: list[str]
    cwd: Path
    env: dict[str, str] | None = None
    user: str | None = None
    stop_signal: str = "SIGTERM"
    orphan_signal: str = ""

    def command(self) -> list[str]:
        orphan_signal = self.orphan_signal or self.stop_signal
        return [
            *(sys.executable, "-I", "-S", str(LAUNCHER)),
            *(str(os.getpid()), orphan_signal, self.user or "", *self.arguments),
        ]


@dataclass
class Child:
    """A program kept running: each end makes the wait before its next start longer."""

    name: str
    program: Program
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    next_start_at: float = 0.0
    wait_seconds: float = SHORTEST_WAIT_SECONDS
    ends: int = field(default=0)

    def start(self) -> None:
        """Start it in a session of its own, out of reach of the terminal's Ctrl-C."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_LIMIT_BYTES:
                self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                self.program.command(),
                cwd=self.program.cwd,
                env=self.program.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def note_end(self) -> int:
        """Sweep up after it and set the time of the next start. Returns its exit code."""
        if self.process is None:
            return 0
        code = self.process.wait()
        self.kill_group()
        self.process = None
        now = time.monotonic()
        if now - self.started_at > STEADY_SECONDS:
            self.wait_seconds = SHORTEST_WAIT_SECONDS
        self.next_start_at = now + self.wait_seconds
        self.wait_seconds = min(self.wait_seconds * 2, LONGEST_WAIT_SECONDS)
        self.ends += 1
        return code

    def is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self.next_start_at

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.Signals[self.program.stop_signal])

    def kill_group(self) -> None:
        """End whatever it started that is still there."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def log_tail(self, lines: int = 12) -> str:
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        return ""


def stop_all(children: list[Child], *, timeout_seconds: float) -> None:
    """Ask all to stop, wait, then end what is left with everything it started."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + timeout_seconds
    for child in children:
        if child.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            child.kill_group()
            child.process.wait()
            child.process = None


def command_line_of(pid: int) -> str:
    """What runs under that number, empty if nothing does; unknown systems answer "unknown"."""
    if not Path("/proc/self").exists():
        return "unknown postgres"
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""

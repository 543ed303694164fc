"""The whole of Fairway on one machine, under one supervisor."""

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from crm_site.devstack import stack
from crm_site.devstack.demo.seeding import is_seeded
from crm_site.devstack.demo.staff import DEMO_EMAIL, DEMO_PASSWORD
from crm_site.devstack.embedded import EmbeddedServerError, needs_postgres, needs_redis
from crm_site.devstack.introducing import Introducer, introduce_tenants
from crm_site.devstack.keeping import EmbeddedServers
from crm_site.devstack.sandbox import SandboxControl
from crm_site.devstack.supervisor import STOP_SIGNALS, Supervisor, end_leftovers

WEB_START_TIMEOUT_SECONDS = 60.0
KEEPER_CHECK_SECONDS = 2.0


class Command(BaseCommand):
    help = "Run everything on this machine: web, worker, beat and the Messaging sandbox."
    requires_system_checks = ()  # The children check; here it would only delay the start.

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-demo", action="store_true", help="do not seed the demo club")
        parser.add_argument("--port", type=int, default=settings.PORT, help="default: PORT or 8000")

    def handle(self, *args: Any, **options: Any) -> None:
        self.port: int = options["port"]
        # Until the supervisor listens, every way of asking us to stop is a KeyboardInterrupt.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        try:
            with self._only_one(), self._embedded_servers() as servers:
                self._prepare(with_demo=not options["no_demo"])
                self._supervise(servers)
        except (stack.StackError, EmbeddedServerError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._say("Stopped before it was up.")
            sys.exit(130)

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        """Hold the lock of this DATA_DIR. The kernel lets go of it however we end."""
        path: Path = settings.DATA_DIR / "up.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as lock:
            lock.seek(0)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(
                    f"Fairway is already up on {settings.DATA_DIR} ({lock.read().strip()}). "
                    "Stop it first, or choose another DATA_DIR and PORT."
                ) from None
            if leftovers := end_leftovers(self._register, settings.BASE_DIR):
                self._say(f"Ended what an earlier run left behind: {', '.join(leftovers)}.")
            stack.refuse_taken_ports(self.port)
            lock.truncate()
            lock.write(f"process {os.getpid()}, http://localhost:{self.port}/")
            lock.flush()
            yield

    @property
    def _register(self) -> Path:
        return Path(settings.DATA_DIR / "children.json")

    @contextlib.contextmanager
    def _embedded_servers(self) -> Iterator[EmbeddedServers | None]:
        postgres, redis = needs_postgres(), needs_redis()
        if not (postgres or redis):
            yield None
            return
        self._say("Starting the database and the broker …")
        servers = EmbeddedServers(settings.DATA_DIR, postgres=postgres, redis=redis)
        servers.enter()
        try:
            yield servers
        finally:
            servers.leave()

    def _prepare(self, *, with_demo: bool) -> None:
        self._say("Bringing tables and static files up to date …")
        try:
            stack.migrate()
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}") from error
        stack.collect_static()
        if with_demo and not is_seeded():
            self._say("Seeding the demo clubs; this happens once …")
            stack.seed_demo(self.port)
        self.has_demo = is_seeded()
        # The supervisor holds no connection: it must not care when the database is away.
        connections.close_all()

    def _supervise(self, servers: EmbeddedServers | None) -> None:
        supervisor = Supervisor(stack.children(self.port), self._register, self._say)
        supervisor.listen()
        introducer = None
        try:
            supervisor.start()
            self._wait_for_web(supervisor)
            if settings.MESSAGING_IS_SANDBOX and not supervisor.is_stopping:
                introducer = self._introduce()
            if not supervisor.is_stopping:
                self._greet()
            supervisor.run(self._keeper_check(servers))
            self._say("Stopping …")
        finally:
            if introducer:
                introducer.stop()
            supervisor.stop()
        self._say("Everything has stopped.")

    def _wait_for_web(self, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + WEB_START_TIMEOUT_SECONDS
        while not supervisor.is_stopping and time.monotonic() < deadline:
            supervisor.look_after()
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"http://{stack.HOST}:{self.port}/healthz", timeout=5)
                return
            time.sleep(0.2)

    def _introduce(self) -> Introducer:
        address = f"http://{stack.HOST}:{stack.sandbox_port(self.port)}"
        control = SandboxControl(address, settings.MESSAGING_API_KEY)
        with contextlib.suppress(Exception):  # The introducer meets them in a moment, then.
            introduce_tenants(control)
        connections.close_all()
        introducer = Introducer(control)
        introducer.start()
        return introducer

    def _keeper_check(self, servers: EmbeddedServers | None) -> Any:
        next_at = 0.0

        def check() -> None:
            nonlocal next_at
            if servers is None or time.monotonic() < next_at:
                return
            next_at = time.monotonic() + KEEPER_CHECK_SECONDS
            if servers.ensure_kept():
                self._say("The database and the broker had lost their keeper; it is back.")

        return check

    def _greet(self) -> None:
        lines = [("Back office", f"http://localhost:{self.port}/")]
        if self.has_demo:
            lines.append(("Sign in", f"{DEMO_EMAIL}  {DEMO_PASSWORD}"))
        if settings.MESSAGING_IS_SANDBOX:
            port = stack.sandbox_port(self.port)
            lines.append(("Sent messages", f"http://localhost:{port}/"))
        lines.append(("Data and logs", str(settings.DATA_DIR)))
        connections.close_all()
        listed = "\n".join(f"  {name:<14} {value}" for name, value in lines)
        self._say(f"\nFairway is up. Ctrl-C ends it all.\n\n{listed}\n")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

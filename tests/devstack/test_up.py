"""`up` runs everything on one machine, and takes everything away again.

One stack serves the whole file, in the order of the tests: it is started, disturbed, killed,
started again and stopped.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from crm_site.devstack.keeping import PROJECT

pytestmark = pytest.mark.processes

GIVEN_ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MESSAGING_BASE_URL")


def wait_until(condition, *, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def two_free_ports():
    """The first of two in a row."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Stack:
    def __init__(self, base: Path):
        self.base, self.data, self.port = base, base / "data dir", two_free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {k: v for k, v in os.environ.items() if k not in GIVEN_ADDRESSES}
        self.env |= {"DATA_DIR": str(self.data)}
        self.output = base / "up.log"
        self.process = None

    def command(self, *arguments):
        return [
            sys.executable,
            "manage.py",
            "up",
            "--no-demo",
            "--port",
            str(self.port),
            *arguments,
        ]

    def start(self):
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                self.command(), cwd=PROJECT, env=self.env, stdout=output, stderr=output
            )
        wait_until(
            lambda: "Fairway is up" in self.said() or self.process.poll(), seconds=180, what="up"
        )
        assert self.process.poll() is None, self.said()

    def said(self):
        return self.output.read_text()

    def running(self):
        """Process id to command line of everything that belongs to this stack."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if (
                    str(self.data).encode() in words
                    and (entry / "stat").read_text().split()[2] != "Z"
                ):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
        return found

    def children(self):
        return json.loads((self.data / "children.json").read_text())

    def status(self, path="/admin/"):
        # A session cookie, whatever it says, makes the page ask the database.
        try:
            return httpx.get(self.url + path, cookies={"sessionid": "x" * 32}).status_code
        except httpx.HTTPError as error:
            return repr(error)

    def wait_for_nothing_left(self, *, seconds):
        wait_until(lambda: not self.running(), seconds=seconds, what="nothing left running")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = Stack(tmp_path_factory.mktemp("stack"))
    try:
        made.start()
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.process.terminate()
            made.process.wait(timeout=40)


def test_everything_answers(stack):
    assert stack.status() == 302
    assert stack.status("/static/admin/css/base.css") == 200
    assert "Messaging sandbox" in httpx.get(f"http://127.0.0.1:{stack.port + 1}/").text
    assert set(stack.children()) == {"web", "worker", "beat", "sandbox"}


def test_children_do_not_know_the_owner_role(stack):
    environments = [Path(f"/proc/{pid}/environ").read_text() for pid in stack.children().values()]

    assert all("fairway_app@" in environment for environment in environments)
    assert not any("fairway_owner" in environment for environment in environments)


def test_a_tenant_opened_later_is_introduced_to_the_sandbox(stack):
    subprocess.run(
        [
            *(sys.executable, "manage.py", "create_tenant", "oakhill", "--name", "Oakhill"),
            *("--timezone", "Africa/Johannesburg", "--currency", "ZAR"),
        ],
        cwd=PROJECT,
        env=stack.env,
        check=True,
        stdout=subprocess.DEVNULL,
    )

    def endpoints():
        url = f"http://127.0.0.1:{stack.port + 1}/_sandbox/endpoints"
        return httpx.get(url, headers={"Authorization": "Bearer sandbox"}).json()["endpoints"]

    assert wait_until(endpoints, seconds=20, what="an endpoint")["oakhill"].startswith("/webhooks/")


def test_a_second_up_on_the_same_data_says_so_and_stops(stack):
    second = subprocess.run(
        stack.command(), cwd=PROJECT, env=stack.env, capture_output=True, text=True, timeout=30
    )

    assert second.returncode != 0
    assert "already up" in second.stderr
    assert stack.status() == 302


def test_a_port_in_use_is_named(stack):
    env = stack.env | {"DATA_DIR": str(stack.base / "another")}

    second = subprocess.run(
        stack.command(), cwd=PROJECT, env=env, capture_output=True, text=True, timeout=30
    )

    assert second.returncode != 0
    assert f"Port {stack.port} is not free" in second.stderr


def test_a_child_that_dies_is_reported_and_started_again(stack):
    before = stack.children()["worker"]

    os.kill(before, signal.SIGKILL)

    wait_until(
        lambda: stack.children().get("worker") not in (before, None),
        seconds=20,
        what="a new worker",
    )
    assert "worker ended (signal SIGKILL)" in stack.said()
    assert before not in stack.running()


def test_lost_servers_are_answered_with_503_until_they_are_back(stack):
    postmaster = int((stack.data / "postgres" / "postmaster.pid").read_text().split()[0])
    [broker] = [pid for pid, command in stack.running().items() if b"redis-server" in command]

    os.kill(broker, signal.SIGKILL)
    os.kill(postmaster, signal.SIGQUIT)

    wait_until(lambda: stack.status() == 503, seconds=10, what="503")
    seen = []
    wait_until(lambda: seen.append(stack.status()) or seen[-1] == 302, seconds=60, what=seen)
    assert broker not in stack.running()


def test_killing_up_leaves_nothing_running(stack):
    stack.process.kill()
    stack.process.wait()

    stack.wait_for_nothing_left(seconds=30)


def test_the_next_start_is_quick_and_its_end_leaves_nothing(stack):
    started_at = time.monotonic()
    stack.start()
    took = time.monotonic() - started_at

    assert stack.status() == 302
    assert took < 60  # 15 on a machine with nothing else to do.
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(timeout=40) == 0
    assert stack.running() == {}
    assert not (stack.data / "children.json").exists()

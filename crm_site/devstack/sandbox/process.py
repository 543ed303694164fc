"""Starting the sandbox from a program, and turning its knobs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

START_TIMEOUT_SECONDS = 20.0


class SandboxError(RuntimeError):
    """The sandbox did not start or did not answer as expected."""


class SandboxControl:
    """The knobs of a sandbox that runs somewhere."""

    def __init__(self, base_url: str, api_key: str = "sandbox") -> None:
        self.base_url, self.api_key = base_url, api_key
        self._client = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=10
        )

    def close(self) -> None:
        self._client.close()

    def set_faults(self, **knobs: Any) -> None:
        """Turn knobs by the names in ``faults.Faults``; the others stay."""
        self._call("PUT", "/_sandbox/faults", knobs)

    def throttle(self, seconds: float) -> None:
        """Answer 429 to every batch for that long."""
        self.set_faults(throttle_until=time.time() + seconds)

    def release(self) -> None:
        """Answer what is held after accepting."""
        self._call("POST", "/_sandbox/release")

    def state(self) -> dict[str, Any]:
        """Counts: ``accepted``, ``attempts``, ``held``, ``waitingEvents``, ``deliveredEvents``."""
        return self._call("GET", "/_sandbox/state")

    def inbox(self, tenant: str = "") -> list[dict[str, Any]]:
        """Every accepted message, oldest first: what the service believes it sent."""
        return self._pages(f"/inbox.json?tenant={quote(tenant)}", "messages")

    def attempts(self) -> list[dict[str, Any]]:
        """Every attempt on every key: ``request, at, tenant, key, body_hash, answer``."""
        return self._pages("/_sandbox/attempts?", "attempts")

    def segment_members(self, tenant: str, segment: str) -> list[str]:
        path = f"/_sandbox/segments/{quote(segment, safe='')}?tenant={quote(tenant)}"
        members: list[str] = self._call("GET", path)["members"]
        return members

    def endpoints(self) -> dict[str, str]:
        """Tenant to webhook address."""
        endpoints: dict[str, str] = self._call("GET", "/_sandbox/endpoints")["endpoints"]
        return endpoints

    def set_endpoint(self, tenant: str, *, url: str, secret: str) -> None:
        """Send the tenant's events to ``url``, which may be relative to Fairway's address."""
        path = f"/_sandbox/endpoints/{quote(tenant, safe='')}"
        self._call("PUT", path, {"url": url, "secret": secret})

    def set_preference(
        self, tenant: str, *, customer: dict[str, Any], channel: str, opted_in: bool
    ) -> None:
        """Let a person change their mind; Fairway hears of it by a signed event."""
        body = {"tenant": tenant, "customer": customer, "channel": channel, "optedIn": opted_in}
        self._call("POST", "/_sandbox/preferences", body)

    def simulate(self, message_id: str, verb: str) -> None:
        """Answer as the recipient: open, click, reply, unsubscribe, bounce or complain."""
        self._call("POST", f"/messages/{message_id}/{verb}")

    def clear(self) -> None:
        """Forget everything but the endpoints."""
        self._call("POST", "/_sandbox/clear")

    def _pages(self, path: str, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", f"{path}&after={found[-1]['seq'] if found else 0}")[name]
            if not page:
                return found
            found += page

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise SandboxError(f"The sandbox does not answer: {error!r}") from error
        if response.is_error:
            raise SandboxError(f"{method} {path}: {response.status_code} {response.text}")
        is_json = response.headers.get("Content-Type", "") == "application/json"
        answer: dict[str, Any] = response.json() if is_json and response.content else {}
        return answer


class Sandbox(SandboxControl):
    """A sandbox process of our own. Use it as a context manager, or ``stop()`` it."""

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        fairway_url: str = "",
        api_key: str = "sandbox",
        faults: dict[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        address = directory / "address"
        address.unlink(missing_ok=True)
        self._log = (directory / "sandbox.log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            command(directory, port, fairway_url),
            env={
                **os.environ,
                "MESSAGING_API_KEY": api_key,
                "SANDBOX_FAULTS": json.dumps(faults or {}),
            },
            cwd=Path(__file__).parents[3],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        super().__init__(self._wait_for(address), api_key)

    def _wait_for(self, address: Path) -> str:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not address.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = Path(self._log.name).read_text(encoding="utf-8", errors="replace")[-2000:]
                raise SandboxError(f"The sandbox did not start:\n{tail}")
            time.sleep(0.02)
        return address.read_text(encoding="utf-8")

    def stop(self) -> None:
        """End it in good order. Harmless twice."""
        self.process.terminate()
        self._ended()

    def kill(self) -> None:
        """End it as a crash would; what it accepted is kept."""
        self.process.kill()
        self._ended()

    def _ended(self) -> None:
        self.process.wait(timeout=10)
        self._log.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.stop()


def command(directory: Path, port: int, fairway_url: str = "") -> list[str]:
    """How the sandbox's process is started."""
    return [
        *(sys.executable, "-m", "crm_site.devstack.sandbox", "--directory", str(directory)),
        *("--port", str(port), "--fairway-url", fairway_url),
    ]

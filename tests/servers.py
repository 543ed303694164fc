"""A pytest plugin that gives the suite a PostgreSQL and a Redis of its own.

Loaded by ``-p`` before Django reads its settings. The run that starts pytest starts the servers;
its xdist workers find their addresses in the environment and take a database each.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from crm_site.devstack import embedded
from crm_site.devstack.keeping import EmbeddedServers

# Nothing here survives the run, so nothing needs to reach the disk.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "120",
}


def start() -> None:
    base = Path(tempfile.mkdtemp(prefix="fairway-test-"))
    servers = EmbeddedServers(base, postgres_settings=FAST)
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:
            servers.leave()
            shutil.rmtree(base, ignore_errors=True)

    atexit.register(stop)
    servers.enter()
    os.environ["FAIRWAY_TEST_DIR"] = str(base)


if "FAIRWAY_TEST_DIR" not in os.environ:
    start()

_base = Path(os.environ["FAIRWAY_TEST_DIR"])
_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
DATABASE = f"test_{_worker}"
os.environ["DATA_DIR"] = str(_base / _worker)
os.environ["DATABASE_URL"] = embedded.database_url(_base, embedded.RUNTIME, DATABASE)
os.environ["DATABASE_OWNER_URL"] = embedded.database_url(_base, embedded.OWNER, DATABASE)
# A Redis database of its own for each worker, so that their queues never mix.
_number = int(_worker.removeprefix("gw")) + 1 if _worker.startswith("gw") else 0
os.environ["REDIS_URL"] = f"{embedded.redis_url(_base)}?db={_number}"

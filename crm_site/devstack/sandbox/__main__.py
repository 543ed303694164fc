"""The sandbox's process: ``python -m crm_site.devstack.sandbox --directory D --port N``."""

import argparse
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path

from crm_site.devstack.sandbox.app import App
from crm_site.devstack.sandbox.faults import Faults
from crm_site.devstack.sandbox.server import Server
from crm_site.devstack.sandbox.store import Store
from crm_site.devstack.sandbox.webhooks import Sender


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="A Messaging service to try with.")
    parser.add_argument("--directory", type=Path, required=True, help="where its file is")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any; it is in the file `address`")
    parser.add_argument("--fairway-url", default="", help="what webhook addresses are relative to")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    store = Store(options.directory / "sandbox.sqlite3")
    store.prune(time.time())
    faults = Faults.parse(json.loads(os.environ.get("SANDBOX_FAULTS") or "{}"))
    app = App(store, os.environ.get("MESSAGING_API_KEY") or "sandbox", faults)
    server = Server((options.host, options.port), app)
    sender = Sender(store, options.fairway_url)

    def stop(*_: object) -> None:
        # shutdown() waits for the loop below, so it needs a thread of its own.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    address = options.directory / "address"
    written = address.with_suffix(".new")
    written.write_text(f"http://{options.host}:{server.server_address[1]}", encoding="utf-8")
    written.replace(address)  # Whoever waits for it never sees half.
    sender.start()
    server.serve_forever(poll_interval=0.2)
    sender.stop()
    server.server_close()


if __name__ == "__main__":
    main()

"""Splink and DuckDB are a worker's: hundreds of modules that no page needs."""

import os
import subprocess
import sys

PROBE = """
import sys, django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import customers.tasks
print([name for name in ("splink", "duckdb", "pyarrow", "recordlinkage") if name in sys.modules])
"""


def test_the_web_process_never_loads_the_matching_engine():
    told = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "crm_site.settings"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    assert told[-1] == "[]"

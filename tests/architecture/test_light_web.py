"""Web processes start light: what only workers reckon with stays out of them."""

import os
import subprocess
import sys

HEAVY = ("numpy", "scipy", "sklearn", "splink", "duckdb", "pyarrow", "openpyxl")
PROBE = f"""
import sys, django
django.setup()
from django.urls import get_resolver
assert get_resolver().url_patterns
print(*[name for name in {HEAVY} if name in sys.modules])
"""


def test_pages_and_api_load_nothing_that_only_workers_need():
    told = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "crm_site.settings"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert told.stdout.split() == []

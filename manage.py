#!/usr/bin/env python
"""Django's command line for Fairway."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_site.settings")
    from django.core.management import execute_from_command_line

    from crm_site.devstack.keeping import servers_for_command

    # On a machine without a DATABASE_URL a command brings its own servers, and takes them
    # away again, unless `up` already runs them.
    with servers_for_command(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

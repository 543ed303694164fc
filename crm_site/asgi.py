"""The same for an ASGI server."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_site.settings")
application = get_asgi_application()

from crm_site.tenancy.roles import refuse_bypassing_role  # noqa: E402 - needs Django set up

refuse_bypassing_role()

"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_site.settings")
application = get_wsgi_application()

from crm_site.tenancy.roles import refuse_bypassing_role  # noqa: E402 - needs Django set up

refuse_bypassing_role()

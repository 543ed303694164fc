"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_site.settings")
django = get_wsgi_application()

from django.conf import settings  # noqa: E402 - needs Django set up

from crm_site.bodies import WholeBodies  # noqa: E402
from crm_site.tenancy.roles import refuse_bypassing_role  # noqa: E402

application = WholeBodies(django, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

refuse_bypassing_role()

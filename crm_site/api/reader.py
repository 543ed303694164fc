"""The API's description, and a page to read it in."""

from functools import cache
from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.schema import ScopedGenerator


@cache
def made_schema() -> dict[str, Any]:
    """The whole description. Made once a process: it is the same for everybody."""
    return ScopedGenerator().get_schema(request=None, public=True)


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1 of this API, open to anyone."""

    def _get_schema_response(self, request: Request) -> Response:
        return Response(made_schema())


class ReaderView(SpectacularSwaggerSplitView):
    """A page to read it in. Its script is a file of ours, so the security policy stands."""

    url_name = "api-schema"

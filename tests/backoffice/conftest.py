import pytest
from django.test import Client

from crm_site.access.models import User


def signed_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def as_ann(ann):
    """The browser of club one's owner."""
    return signed_in(ann)


@pytest.fixture
def as_ben(ben):
    """The browser of somebody who only reads."""
    return signed_in(ben)


@pytest.fixture
def as_cleo(cleo):
    """The browser of club two's owner."""
    return signed_in(cleo)


@pytest.fixture
def as_root(tenant):
    """The browser of a superuser."""
    return signed_in(User.objects.create_superuser("root@fairway.test", "correct horse battery"))

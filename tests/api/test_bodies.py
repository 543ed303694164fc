"""What happens to a request's body before and after Django."""

from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIRequest

from crm_site.bodies import WholeBodies

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


def ask(body, *, most=10, reads=True, **environ):
    arriving, seen = BytesIO(body), []

    def application(environ, start_response):
        if reads:
            seen.append(WSGIRequest(environ).body)
        return [b"answer"]

    environ = {
        **{"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": arriving},
        **{"wsgi.input_terminated": True, **environ},
    }
    answer = WholeBodies(application, most=most)(environ, None)
    return answer, seen, arriving


@pytest.mark.parametrize(("body", "seen"), [(b"{}", b"{}"), (b"", b""), (b"x" * 50, b"x" * 11)])
def test_a_chunked_body_is_measured_as_far_as_it_may_go(body, seen):
    assert ask(body, **CHUNKED)[1] == [seen]


def test_what_is_left_unread_is_read_off_before_the_answer():
    answer, _, arriving = ask(b"x" * 200_000, reads=False, CONTENT_LENGTH="200000")

    assert answer == [b"answer"]
    assert arriving.tell() == 200_000


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/api/v1/customers", "/webhooks/0b9e5a2c"])
def test_a_post_without_its_last_slash_stays_a_post(client, url):
    answer = client.post(url, "{}", content_type="application/json")

    assert (answer.status_code, answer["Location"]) == (308, f"{url}/")


@pytest.mark.django_db
def test_events_come_by_post_only(client):
    answer = client.get("/webhooks/0b9e5a2c/")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer["Content-Type"] == "application/problem+json"

from crm_site.backoffice import search
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Club


def test_pages_are_found_by_the_words_in_the_sidebar(as_ann):
    found = as_ann.get("/oakhill/admin/search/?s=audit").content.decode()

    assert "/oakhill/admin/audit/crmauditlog/" in found


def test_what_one_club_finds_the_next_does_not(as_root, tenant, other_tenant, monkeypatch):

    def find_clubs(request, term):
        for club in Club.objects.filter(name__istartswith=term):
            yield search.Hit(title=club.name, description="Club", link="/")

    monkeypatch.setattr(search._providers, "known", [("tenancy.view_club", find_clubs)])
    Club.objects.create(name="North Course")
    with tenant_scope(other_tenant.pk):
        Club.objects.create(name="North Links")

    ours = as_root.get("/oakhill/admin/search/?s=north&extended=1").content.decode()
    theirs = as_root.get("/pinecrest/admin/search/?s=north&extended=1").content.decode()

    assert "North Course" in ours
    assert "North Links" not in ours
    assert "North Links" in theirs
    assert "North Course" not in theirs


def test_a_provider_gives_at_most_eight_hits_and_only_to_whom_it_may(as_ann, as_ben, monkeypatch):

    def find_many(request, term):
        return (search.Hit(title=f"Hit {number}", description="", link="/") for number in range(99))

    monkeypatch.setattr(search._providers, "known", [("access.view_apikey", find_many)])

    assert as_ann.get("/oakhill/admin/search/?s=zz&extended=1").content.count(b"data-title") == 8
    assert b"data-title" not in as_ben.get("/oakhill/admin/search/?s=zz&extended=1").content

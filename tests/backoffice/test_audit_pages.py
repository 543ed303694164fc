from crm_site.audit.actor import Actor, acting_as
from crm_site.audit.models import CrmAuditLog
from crm_site.backoffice.admin.audit import names_in
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Club
from tests.factories import make_segment

AUDIT = "/oakhill/admin/audit/crmauditlog/"


def test_a_change_reads_as_a_sentence_with_a_name(as_ann, ann, tenant):
    with acting_as(Actor.user(ann.pk)):
        club = Club.objects.create(name="North Course")
        Club.objects.filter(pk=club.pk).update(name="South Course")

    page = as_ann.get(f"{AUDIT}?entity_type=Club").content.decode()

    assert "<del>North Course</del>" in page
    assert "<ins>South Course</ins>" in page
    assert str(ann) in page


def test_rows_are_called_by_their_names_not_their_ids(as_ann, tenant, other_tenant):
    club = Club.objects.create(name="North Course")
    segment = make_segment(name="Committee", club=club)
    with tenant_scope(other_tenant.pk):
        strange = Club.objects.create(name="Strange Links")

    page = as_ann.get(f"{AUDIT}?entity_type=CustomerSegment").content.decode()
    entry = CrmAuditLog.objects.filter(entity_id=str(segment.pk)).first()
    entry.changes["clubId"]["new"] = str(strange.pk)

    assert "Segment “Committee”" in page
    assert "<ins>North Course</ins>" in as_ann.get(_page_of(segment)).content.decode()
    assert names_in([entry]) == {str(segment.pk): "Committee"}


def _page_of(row):
    entry = CrmAuditLog.objects.filter(entity_id=str(row.pk)).first()
    return f"{AUDIT}{entry.pk}/change/"


def test_entries_are_narrowed_by_kind_act_person_and_row(as_ann, ann, tenant):
    with acting_as(Actor.user(ann.pk)):
        first = Club.objects.create(name="North Course")
    with acting_as(Actor.system("tests.other")):
        Club.objects.create(name="Beach Links")

    def names(query):
        rows = as_ann.get(f"{AUDIT}?{query}").context["cl"].result_list
        return {row.changes["name"]["new"] for row in rows if "name" in (row.changes or {})}

    assert names("entity_type=Club&action=CREATE") == {"North Course", "Beach Links"}
    assert names("entity_type=Club&action=DELETE") == set()
    assert names(f"entity_type=Club&who={ann.email}") == {"North Course"}
    assert names(f"entity_type=Club&entity_id={first.pk}") == {"North Course"}


def test_a_rows_history_is_its_audit_entries(as_ann, tenant):
    club = Club.objects.create(name="North Course")

    answer = as_ann.get(f"/oakhill/admin/tenancy/club/{club.pk}/history/")

    assert answer["Location"] == f"{AUDIT}?entity_type=Club&entity_id={club.pk}"


def test_nobody_edits_the_log_and_nobody_reads_another_clubs(as_ann, as_ben, tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        Club.objects.create(name="Strange Links")
        entry = CrmAuditLog.objects.filter(entity_type="Club").get()

    assert "Strange" not in as_ann.get(AUDIT).content.decode()
    assert as_ann.get(f"{AUDIT}{entry.pk}/change/").status_code == 404
    assert as_ann.get(f"{AUDIT}add/").status_code == 403
    assert as_ben.get(AUDIT).status_code == 403

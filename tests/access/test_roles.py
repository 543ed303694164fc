"""What somebody may do follows from their role in the tenant in scope."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from guardian.shortcuts import assign_perm

from crm_site.access import services
from crm_site.access.models import TenantMembership
from crm_site.access.roles import PERMISSIONS, Role
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Club
from segments.models import CustomerSegment
from tests.conftest import make_user


def test_every_permission_of_a_role_exists(db):
    known = {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Permission.objects.select_related("content_type")
    }

    missing = {name for names in PERMISSIONS.values() for name in names} - known

    assert not missing


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_a_group_of_the_same_name_and_permissions(db, role):
    group = Group.objects.get(name=role.label)

    assert group.permissions.count() == len(PERMISSIONS[role])


def test_a_role_holds_in_its_own_tenant_only(ann, tenant, other_tenant):
    assert ann.has_perm("customers.merge_customerprofile")

    with tenant_scope(other_tenant.pk):
        assert not ann.has_perm("customers.merge_customerprofile")
        assert not ann.has_perm("customers.view_customerprofile")


def test_somebody_may_have_two_roles_in_two_tenants(ben, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        services.grant_membership(user=ben, role=Role.OWNER, actor=actor)
        assert ben.has_perm("customers.merge_customerprofile")

    assert not ben.has_perm("customers.merge_customerprofile")


def test_without_a_tenant_nobody_may_anything(ann):
    with tenant_scope(""):
        assert not ann.has_perm("customers.view_customerprofile")


def test_a_viewer_changes_nothing(ben):
    changing = [
        name
        for name in PERMISSIONS[Role.OWNER]
        if not name.split(".")[1].startswith("view_") and ben.has_perm(name)
    ]

    assert changing == []


def test_who_may_enter(ann, cleo, tenant, other_tenant):
    assert services.may_enter(ann, tenant.pk)
    assert not services.may_enter(ann, other_tenant.pk)
    assert not services.may_enter(cleo, tenant.pk)
    assert not services.may_enter(ann, "nowhere")


def test_a_superuser_may_enter_every_open_tenant_but_sees_one_at_a_time(tenant, other_tenant):
    root = make_user("root@example.test", None, tenant)
    root.is_superuser = True
    root.save()

    assert {t.pk for t in services.tenants_of(root)} == {tenant.pk, other_tenant.pk}
    assert services.may_enter(root, other_tenant.pk)
    assert TenantMembership.objects.filter(tenant_id=other_tenant.pk).count() == 0


def test_tenants_are_listed_without_a_scope(ann, other_tenant, actor, tenant):
    with tenant_scope(other_tenant.pk):
        services.grant_membership(user=ann, role=Role.VIEWER, actor=actor)

    with tenant_scope(""):
        assert services.tenants_of(ann) == [tenant, other_tenant]
        assert services.tenants_of(AnonymousUser()) == []


def test_a_membership_limited_to_clubs_sees_the_clubs_granted(ben, actor):
    east, west = Club.objects.create(name="East"), Club.objects.create(name="West")
    assert services.visible_club_ids(ben) is None

    TenantMembership.objects.filter(user=ben).update(is_limited_to_clubs=True)
    ben.__dict__.pop("_memberships_by_tenant", None)
    services.set_club_grants(user=ben, clubs=[west], actor=actor)

    assert services.visible_club_ids(ben) == {west.pk}
    services.set_club_grants(user=ben, clubs=[east], actor=actor)
    assert services.visible_club_ids(ben) == {east.pk}


def test_rows_are_limited_to_granted_clubs_and_single_grants(ben, ann, actor):
    east, west = Club.objects.create(name="East"), Club.objects.create(name="West")
    everybodys = CustomerSegment.objects.create(name="Everybody's")
    easts = CustomerSegment.objects.create(name="East's", club=east)
    wests = CustomerSegment.objects.create(name="West's", club=west)
    single = CustomerSegment.objects.create(name="East's, shared", club=east)
    TenantMembership.objects.filter(user=ben).update(is_limited_to_clubs=True)
    ben.__dict__.pop("_memberships_by_tenant", None)

    services.set_club_grants(user=ben, clubs=[west], actor=actor)
    assign_perm("segments.view_customersegment", ben, single)

    ours = CustomerSegment.objects.filter(is_system=False)
    assert set(services.limit_to_grants(ours, ben)) == {everybodys, wests, single}
    assert easts in services.limit_to_grants(ours, ann)

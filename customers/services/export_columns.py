"""What a list of customers may show in a file. Notes never are among it."""

from crm_site.db.names import camel_case
from customers.models import CustomerProfile

# Not for a file: ours alone, or too deep for a cell.
_LEFT_OUT = {
    *("tenant_id", "search_vector", "source_times", "erased_at", "merged_into_id", "merged_at"),
    *("deleted_at", "created_by", "updated_by"),
}
# By their names in JSON, the names that an import reads: column, and the profile's field.
COLUMNS: dict[str, str] = {
    camel_case(field.attname): field.attname
    for field in CustomerProfile._meta.concrete_fields
    if field.attname not in _LEFT_OUT and field.get_internal_type() != "JSONField"
}
USUAL_COLUMNS = (
    *("firstName", "lastName", "email", "phoneNumber", "sclMemberId", "membershipTier"),
    *("membershipStatus", "membershipExpiry", "lifecycleStage", "handicap", "homeClubName"),
    *("city", "tags", "emailOptIn", "smsOptIn", "lastActivityAt"),
)

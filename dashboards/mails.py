"""The state of a payout's e-mail in words."""

from collections.abc import Mapping
from uuid import UUID

from contracts.environment import read_environment
from dashboards.languages import _
from dashboards.settings import DashboardSettings
from dashboards.wording import moment
from warehouse.deliveries import Delivery


def mail_state(deliveries: Mapping[UUID, Delivery] | None, entry_id: UUID) -> str:
    """What became of one; without `deliveries` nobody knows."""
    if deliveries is None:
        return _("not known")
    delivery = deliveries.get(entry_id)
    if delivery is None:
        return _("none planned")
    if delivery.state == "sent" and delivery.sent_at is not None:
        zone = read_environment(DashboardSettings).zone
        return _("sent {moment}").format(moment=moment(delivery.sent_at, zone))
    if delivery.state == "blocked":
        return _("cannot be sent")
    if delivery.attempts > 0:
        return _("being tried, {count} times so far").format(count=delivery.attempts)
    return _("waiting")

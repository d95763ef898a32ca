"""How a Child SA travels, and which of them no NAT lets pass."""

from __future__ import annotations

from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.refusal import Refusal, Report
from isthmus.events.ike import FailureReason
from isthmus.model.plan import TunnelPlan
from isthmus.model.proposal import Protocol
from isthmus.wire.registry import NotifyType

_AH = "AH covers the addresses, which the NAT changes (RFC 3715, 2.1): ESP passes it"
_TRANSPORT = "transport mode holds to addresses, which the NAT changes (RFC 3948, 5.2): tunnel mode passes it"


def stopped_by_nat(sa: IkeSa, tunnel: TunnelPlan) -> Report | None:
    """Why a child of this tunnel cannot come to stand; None: nothing is in its way."""
    if not sa.nat.found or tunnel.travels_in_udp:
        return None
    why = _AH if tunnel.profile.protocol == Protocol.AH else _TRANSPORT
    behind = {"local": "we are", "remote": "the peer is", "both": "both ends are"}[str(sa.nat)]
    return Report(FailureReason.BEHIND_NAT, detail=f"{behind} behind a NAT, and {why}")


def refuse_behind_nat(sa: IkeSa, tunnel: TunnelPlan) -> None:
    """Raises what a peer that asks for such a child is told."""
    report = stopped_by_nat(sa, tunnel)
    if report is not None:
        raise Refusal(NotifyType.NO_PROPOSAL_CHOSEN, reason=report.reason, detail=report.detail)

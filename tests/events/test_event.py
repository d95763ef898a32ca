"""How a fact is told."""

from __future__ import annotations

from isthmus.events.child import ChildNarrowed
from isthmus.events.ike import FailureReason, NegotiationFailed
from isthmus.model.quantities import Instant

NOW = Instant(1.0)


def test_lists_are_told_with_commas_and_empty_ones_as_nothing() -> None:
    event = NegotiationFailed(
        at=NOW,
        peer="branch",
        stage="IKE_SA_INIT",
        role="responder",
        reason=FailureReason.NO_PROPOSAL_CHOSEN,
        they_said=("group2", "group5"),
        detail="ke",
    )
    assert event.tell() == (
        "IKE_SA_INIT with branch failed as responder: no-proposal-chosen ke. "
        "They said: group2, group5. We said: nothing"
    )


def test_a_child_is_told_by_its_configured_name() -> None:
    event = ChildNarrowed(at=NOW, child="branch:lan", local_ts=("10.1.0.0/16",), remote_ts=("10.2.7.0/24",))
    assert event.tell() == "Child SA branch:lan is narrower than configured: 10.1.0.0/16 <-> 10.2.7.0/24"

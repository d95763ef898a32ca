"""Agree on the suite of the IKE SA. RFC 2409, 5: the responder returns one transform, untouched."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.refusal import Refusal, malformed
from isthmus.model.plan import PeerPlan
from isthmus.model.proposal import Proposal, Suite
from isthmus.model.quantities import Seconds
from isthmus.negotiate import select
from isthmus.negotiate.reports import Chosen, Mismatch
from isthmus.wire.ikev1.offers import Offer, phase1_offers, phase1_sa
from isthmus.wire.ikev1.payloads import SecurityAssociation
from isthmus.wire.ikev1.registry import AuthenticationMethod, PayloadType
from isthmus.wire.registry import NotifyType


class AgreeOnSuite(Step[Handshake]):
    def write(self, leg: int, draft: Draft) -> None:
        handshake = self.context
        if not handshake.says(leg, PayloadType.SA):
            return
        if leg == 0:
            profile = handshake.plan.profile
            group = None
            if handshake.aggressive:
                # The public value goes along at once, so all that is offered is of its group.
                handshake.method = select.first_method(phase_one_proposals(profile.proposals))
                group = handshake.method.ikev2 if handshake.method else None
            offer = phase1_sa(profile.proposals, int(profile.lifetime.time), AuthenticationMethod.PRE_SHARED_KEY, group)
            handshake.offered, handshake.sa_body = phase1_offers(offer), offer.write()
            draft.add(offer)
        elif handshake.chosen is not None:
            draft.add(handshake.chosen.answer())

    def read(self, leg: int, message: Inbound) -> None:
        if self.context.says(leg, PayloadType.SA):
            if leg == 0:
                self._choose(message)
            else:
                self._confirm(message)

    def _choose(self, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        handshake.sa_body = handshake.heard.body(PayloadType.SA)
        offers = phase1_offers(message.need(SecurityAssociation))
        by_secret = [o for o in offers if o.authentication == AuthenticationMethod.PRE_SHARED_KEY]
        if offers and not by_secret:
            # Among the others is encryption with public keys, whose answers are an oracle (Bleichenbacher): never.
            raise Refusal(
                NotifyType.NO_PROPOSAL_CHOSEN,
                they_said=tuple(
                    dict.fromkeys(f"authentication {o.authentication.name}" for o in offers if o.authentication)
                ),
                we_said=("authentication PRE_SHARED_KEY",),
                detail="how to authenticate",
            )
        chosen, handshake.candidates = _choose_for([o.proposal for o in by_secret], handshake.candidates)
        sa.suite, handshake.method = chosen.suite, chosen.suite.ke
        handshake.chosen = next(o for o in by_secret if _is_of(chosen.proposal, o))
        self._settle_lifetime(handshake.chosen)

    def _confirm(self, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        answers = phase1_offers(message.need(SecurityAssociation))
        if len(answers) != 1:
            raise malformed(f"{len(answers)} transforms in an answer")
        (answer,) = answers
        # Its lifetime may have been changed: some do, and the shorter one counts (RFC 2407, 4.5.4).
        if not any(
            o.proposal.transforms == answer.proposal.transforms and o.authentication == answer.authentication
            for o in handshake.offered
        ):
            raise Refusal(
                NotifyType.NO_PROPOSAL_CHOSEN,
                they_said=(str(answer.proposal),),
                we_said=tuple(str(o.proposal) for o in handshake.offered),
                detail="the peer chose what we had not offered",
            )
        sa.suite = require_known(select.suite_of(answer.proposal))
        handshake.method = sa.suite.ke
        self._settle_lifetime(answer)

    def _settle_lifetime(self, agreed: Offer) -> None:
        ours = self.context.plan.profile.lifetime.time
        theirs = agreed.duration.seconds
        self.context.lifetime = Seconds(min(ours, theirs)) if theirs else ours


def phase_one_proposals(proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Of a profile what version 1 can express: no AEAD, no KEM."""
    expressed = phase1_sa(proposals, 0, AuthenticationMethod.PRE_SHARED_KEY)
    return tuple(offer.proposal for offer in phase1_offers(expressed))


def require_known(suite: Suite) -> Suite:
    if suite.encryption is None or suite.prf is None or suite.ke is None:
        raise malformed("a suite that lacks a cipher, a hash or a group")
    return suite


def _choose_for(offered: Sequence[Proposal], candidates: Sequence[PeerPlan]) -> tuple[Chosen, tuple[PeerPlan, ...]]:
    """The first candidate's choice that works, and those candidates whose profile makes the same one."""
    mismatch: Mismatch | None = None
    accepted = [(c, phase_one_proposals(c.ikev1.profile.proposals)) for c in candidates if c.ikev1 is not None]
    for _, ours in accepted:
        found = select.choose(offered, ours)
        if isinstance(found, Chosen):
            require_known(found.suite)
            return found, tuple(c for c, theirs in accepted if select.choose(offered, theirs) == found)
        mismatch = mismatch or found
    mismatch = mismatch or Mismatch(tuple(offered), (), ())
    raise Refusal(
        NotifyType.NO_PROPOSAL_CHOSEN,
        they_said=tuple(str(p) for p in mismatch.offered),
        we_said=tuple(str(p) for p in mismatch.accepted),
        detail="; ".join(str(obstacle) for obstacle in mismatch.nearest),
    )


def _is_of(chosen: Proposal, offer: Offer) -> bool:
    return offer.proposal.number == chosen.number and set(chosen.transforms) <= set(offer.proposal.transforms)

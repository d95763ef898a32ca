"""The exchanges of IKEv2, as data. RFC 7296, 1.2 to 1.4; RFC 8784; RFC 9370, 2.2."""

from __future__ import annotations

from isthmus.engine.exchange import Exchange, Leg, Speaker
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.ike_successor import IkeSuccessor
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.steps.announce import Announce
from isthmus.engine.ikev2.steps.child import AgreeOnChild
from isthmus.engine.ikev2.steps.contact import ClaimContact
from isthmus.engine.ikev2.steps.cookie import PresentCookie
from isthmus.engine.ikev2.steps.first_child import AgreeOnFirstChild
from isthmus.engine.ikev2.steps.identity import Identify
from isthmus.engine.ikev2.steps.inform import Inform, Notice
from isthmus.engine.ikev2.steps.lifetime import HonourNewLifetime, LimitAuthentication
from isthmus.engine.ikev2.steps.mobility import OfferMobility, Roam
from isthmus.engine.ikev2.steps.nat import DetectNat
from isthmus.engine.ikev2.steps.ppk import AnnouncePpk, MixPpk
from isthmus.engine.ikev2.steps.proof import ProveIdentity
from isthmus.engine.ikev2.steps.redirect import AcceptRedirect, HearRedirect
from isthmus.engine.ikev2.steps.rekey import AgreeOnSuccessor, NameReplaced
from isthmus.engine.ikev2.steps.rounds import AnnounceRounds, ExchangeRound, LinkRounds
from isthmus.engine.ikev2.steps.signature_hashes import TellSignatureHashes
from isthmus.engine.ikev2.steps.suite import AgreeOnSuite
from isthmus.wire.registry import ExchangeType, PayloadType


def _legs(request: set[PayloadType], response: set[PayloadType], *, sealed: bool = True) -> tuple[Leg, Leg]:
    return (
        Leg(Speaker.REQUESTER, frozenset(request), sealed=sealed),
        Leg(Speaker.REPLIER, frozenset(response), sealed=sealed),
    )


_SA, _KE, _NONCE = PayloadType.SA, PayloadType.KE, PayloadType.NONCE
_TS = {PayloadType.TSI, PayloadType.TSR}

IKE_SA_INIT: Exchange[Handshake] = Exchange(
    "IKE_SA_INIT",
    ExchangeType.IKE_SA_INIT,
    legs=_legs({_SA, _KE, _NONCE}, {_SA, _KE, _NONCE}, sealed=False),
    steps=(
        PresentCookie,
        AgreeOnSuite,
        AnnounceRounds,
        DetectNat,
        TellSignatureHashes,
        AcceptRedirect,
        Announce,
        AnnouncePpk,
    ),
)

IKE_INTERMEDIATE: Exchange[KeyRounds] = Exchange(
    "IKE_INTERMEDIATE",
    ExchangeType.IKE_INTERMEDIATE,
    legs=_legs({_KE}, {_KE}),
    steps=(ExchangeRound,),
)

IKE_AUTH: Exchange[Handshake] = Exchange(
    "IKE_AUTH",
    ExchangeType.IKE_AUTH,
    legs=_legs({PayloadType.IDI, PayloadType.AUTH}, {PayloadType.IDR, PayloadType.AUTH}),
    steps=(Identify, MixPpk, ProveIdentity, ClaimContact, OfferMobility, LimitAuthentication, AgreeOnFirstChild),
)

CREATE_CHILD: Exchange[ChildSetup] = Exchange(
    "CREATE_CHILD_SA",
    ExchangeType.CREATE_CHILD_SA,
    legs=_legs({_SA, _NONCE, *_TS}, {_SA, _NONCE, *_TS}),
    steps=(NameReplaced, AgreeOnChild, LinkRounds),
)

REKEY_IKE: Exchange[IkeSuccessor] = Exchange(
    "CREATE_CHILD_SA",
    ExchangeType.CREATE_CHILD_SA,
    legs=_legs({_SA, _NONCE, _KE}, {_SA, _NONCE, _KE}),
    steps=(AgreeOnSuccessor, LinkRounds),
)

IKE_FOLLOWUP_KE: Exchange[KeyRounds] = Exchange(
    "IKE_FOLLOWUP_KE",
    ExchangeType.IKE_FOLLOWUP_KE,
    legs=_legs({_KE}, {_KE}),
    steps=(ExchangeRound,),
)

INFORMATIONAL: Exchange[Notice] = Exchange(
    "INFORMATIONAL",
    ExchangeType.INFORMATIONAL,
    legs=_legs(set(), set()),
    steps=(Inform, Roam, HonourNewLifetime, HearRedirect),
)

"""The exchanges of IKE version 1, as data. RFC 2409, 5.1 to 5.5."""

from __future__ import annotations

from isthmus.engine.exchange import Exchange, Leg, Speaker
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.ikev1.quick_setup import QuickSetup
from isthmus.engine.ikev1.steps.announce import Announce
from isthmus.engine.ikev1.steps.identity import Identify, Recognise
from isthmus.engine.ikev1.steps.nat import DetectNat
from isthmus.engine.ikev1.steps.proof import ClaimContact, ProveIdentity
from isthmus.engine.ikev1.steps.quick import AgreeOnQuick
from isthmus.engine.ikev1.steps.secrets import ExchangeSecrets
from isthmus.engine.ikev1.steps.suite import AgreeOnSuite
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import ExchangeTypeV1

_SA, _KE, _NONCE = PayloadType.SA, PayloadType.KE, PayloadType.NONCE
_ID, _HASH = PayloadType.ID, PayloadType.HASH


def _legs(*rows: tuple[set[PayloadType], bool]) -> tuple[Leg, ...]:
    speakers = (Speaker.REQUESTER, Speaker.REPLIER)
    return tuple(Leg(speakers[n % 2], frozenset(needs), sealed=sealed) for n, (needs, sealed) in enumerate(rows))


_PHASE_ONE = (Recognise, AgreeOnSuite, ExchangeSecrets, Identify, ProveIdentity, Announce, DetectNat, ClaimContact)
"""In the order of their payloads: SA stands first (RFC 2409, 5)."""

MAIN_MODE: Exchange[Handshake] = Exchange(
    "Main Mode",
    ExchangeTypeV1.IDENTITY_PROTECTION,
    legs=_legs(
        ({_SA}, False),
        ({_SA}, False),
        ({_KE, _NONCE}, False),
        ({_KE, _NONCE}, False),
        ({_ID, _HASH}, True),
        ({_ID, _HASH}, True),
    ),
    steps=_PHASE_ONE,
)

AGGRESSIVE_MODE: Exchange[Handshake] = Exchange(
    "Aggressive Mode",
    ExchangeTypeV1.AGGRESSIVE,
    legs=_legs(
        ({_SA, _KE, _NONCE, _ID}, False),
        ({_SA, _KE, _NONCE, _ID, _HASH}, False),
        ({_HASH}, True),
    ),
    steps=_PHASE_ONE,
)

QUICK_MODE: Exchange[QuickSetup] = Exchange(
    "Quick Mode",
    ExchangeTypeV1.QUICK_MODE,
    legs=_legs(({_HASH, _SA, _NONCE}, True), ({_HASH, _SA, _NONCE}, True), ({_HASH}, True)),
    steps=(AgreeOnQuick,),
)

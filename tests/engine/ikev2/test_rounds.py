"""Additional key exchanges between two gateways, watched at the level of keys. RFC 9370, 2.2."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.crypto.prf import prf, prf_plus
from isthmus.engine import commands
from isthmus.engine.exchange import Inbound
from isthmus.engine.ikev2.channel import Channel
from isthmus.engine.ikev2.intermediate import AnswerIntermediate
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.keys import IkeKeys
from isthmus.engine.ikev2.party import Party
from isthmus.engine.surroundings import Surroundings
from isthmus.events.ike import FailureReason, IkeEstablished
from isthmus.events.message import MessageExchanged
from isthmus.model import algorithms
from isthmus.model.proposal import Protocol, Suite, TransformType
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import connected, failed, pair
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenarios.crossing import child_of, peer_of
from isthmus.sim.world import World
from tests.engine.table import Dice

SHA384 = algorithms.PRF_BY_NAME["sha384"]
IKE = "aes-256-gcm/sha384/group31/+ml-kem-768/+group20"
ESP = "aes-256-gcm/group31/+ml-kem-768"
SUITE = Suite(
    Protocol.IKE,
    algorithms.ENCRYPTION_BY_NAME["aes-256-gcm"],
    None,
    SHA384,
    algorithms.KEY_EXCHANGE_BY_NAME["group31"],
    additional=(
        (TransformType.ADDKE1, algorithms.KEY_EXCHANGE_BY_NAME["ml-kem-768"]),
        (TransformType.ADDKE2, algorithms.KEY_EXCHANGE_BY_NAME["group20"]),
    ),
)


def test_every_round_renews_all_keys_from_the_ones_before(monkeypatch: pytest.MonkeyPatch) -> None:
    generations: list[IkeKeys] = []
    secrets: list[bytes] = []
    protect, advance = Channel.protect, KeyRounds.advance

    def watch_keys(self: Channel, keys: IkeKeys) -> None:
        if self.sa.began_here:
            generations.append(keys)
        protect(self, keys)

    def watch_secrets(self: KeyRounds) -> bytes:
        secret = advance(self)
        secrets.append(secret)
        return secret

    monkeypatch.setattr(Channel, "protect", watch_keys)
    monkeypatch.setattr(KeyRounds, "advance", watch_secrets)
    world = World(1)
    ends = connected(world, replace(EAST, ike=(IKE,)), replace(WEST, ike=(IKE,)))
    assert len(generations) == 3
    # Each end has computed them for itself: of each round the same.
    assert len(secrets) == 4
    assert secrets[0::2] == secrets[1::2]

    (ike,) = ends.east.ike_sas
    nonces = b"".join(ends.east.gateway._ledger.ike_sas[ike.initiator_spi].nonces)  # type: ignore[union-attr]
    spis = ike.initiator_spi + ike.responder_spi
    for before, after, secret in zip(generations, generations[1:], secrets[0::2], strict=False):
        # RFC 9370, 2.2.2, written out.
        seed = prf(SHA384, before.d.reveal(), secret + nonces)
        grown = prf_plus(SHA384, seed, nonces + spis, 48 + 2 * 36 + 2 * 48)
        assert after.d.reveal() + after.ei.reveal() + after.er.reveal() + after.pi.reveal() + after.pr.reveal() == grown


def test_a_round_that_the_other_end_saw_differently_spoils_the_proof_of_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What an attacker could do that broke the first key exchange, and so can seal messages as the peer does.
    answer = AnswerIntermediate.__init__

    def see_differently(self: AnswerIntermediate, party: Party, request: Inbound) -> None:
        answer(self, party, Inbound(request.payloads, request.octets + b"?", request.first, request.outer))

    monkeypatch.setattr(AnswerIntermediate, "__init__", see_differently)
    world = World(1)
    ends = pair(world, replace(EAST, ike=(IKE,)), replace(WEST, ike=(IKE,)))
    world.run(until=failed(ends.west, FailureReason.AUTHENTICATION_FAILED))
    world.run(limit=Seconds(30.0))
    assert not ends.west.told(IkeEstablished)


def test_the_exchanges_are_those_of_the_rfc() -> None:
    world = World(1)
    parties = (replace(p, ike=(IKE,), esp=(ESP,)) for p in (EAST, WEST))
    east, west = parties
    ends = connected(world, east, west)
    ends.east.command(commands.RekeyChild(child_of(ends.east)))
    world.run(limit=Seconds(5.0))
    ends.east.command(commands.RekeyIke(peer_of(ends.east)))
    world.run(limit=Seconds(5.0))
    said = [event.notation for event in ends.east.told(MessageExchanged) if "INFORMATIONAL" not in event.notation]
    assert said[2:6] == [
        "IKE_INTERMEDIATE request 1 SK { KEi(ml-kem-768) }",
        "IKE_INTERMEDIATE response 1 SK { KEr(ml-kem-768) }",
        "IKE_INTERMEDIATE request 2 SK { KEi(group20) }",
        "IKE_INTERMEDIATE response 2 SK { KEr(group20) }",
    ]
    assert said[8:12] == [
        "CREATE_CHILD_SA request 4 SK { N(REKEY_SA), SA, Ni, KEi(group31), TSi, TSr }",
        "CREATE_CHILD_SA response 4 SK { SA, Nr, KEr(group31), TSi, TSr, N(ADDITIONAL_KEY_EXCHANGE) }",
        "IKE_FOLLOWUP_KE request 5 SK { KEi(ml-kem-768), N(ADDITIONAL_KEY_EXCHANGE) }",
        "IKE_FOLLOWUP_KE response 5 SK { KEr(ml-kem-768) }",
    ]
    assert [line.rpartition(" SK ")[2] for line in said[14:18]] == [
        "{ KEi(ml-kem-768), N(ADDITIONAL_KEY_EXCHANGE) }",
        "{ KEr(ml-kem-768), N(ADDITIONAL_KEY_EXCHANGE) }",
        "{ KEi(group20), N(ADDITIONAL_KEY_EXCHANGE) }",
        "{ KEr(group20) }",
    ]


def test_a_series_goes_through_its_methods_in_order() -> None:
    rounds = KeyRounds(SUITE, Surroundings(Dice()))
    assert (rounds.method is not None and rounds.method.name, rounds.last) == ("ml-kem-768", False)
    assert rounds.offer() == rounds.offer(), "what is repeated is the same"
    rounds.agreed(b"one")
    assert rounds.advance() == b"one"
    assert (rounds.method is not None and rounds.method.name, rounds.last) == ("group20", True)
    rounds.agreed(b"two")
    assert rounds.advance() == b"two"
    assert rounds.method is None
    assert rounds.additional == b"onetwo"


def test_links_differ_from_round_to_round() -> None:
    rounds = KeyRounds(SUITE, Surroundings(Dice()))
    assert rounds.link is None
    assert rounds.renew_link() != rounds.renew_link()

"""Prove identity. RFC 7296, 2.15."""

from __future__ import annotations

from isthmus.crypto.compare import equal
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.octets import shared_key_proof, signed_octets
from isthmus.engine.refusal import Refusal, malformed
from isthmus.model.algorithms import Prf
from isthmus.model.secret import Secret
from isthmus.wire.ikev2.payloads import Authentication
from isthmus.wire.registry import AuthMethod, NotifyType


class ProveIdentity(Step[Handshake]):
    """With a pre-shared key. Each end signs its own IKE_SA_INIT message, the other's nonce and its own identity."""

    def write(self, leg: int, draft: Draft) -> None:
        octets = self._signed(by_initiator=leg == 0, id_body=self.context.own_id_body)
        draft.add(Authentication(AuthMethod.SHARED_KEY, shared_key_proof(self._prf, self._secret, octets)))

    def read(self, leg: int, message: Inbound) -> None:
        claim = message.need(Authentication)
        if claim.method != AuthMethod.SHARED_KEY:
            raise Refusal(
                NotifyType.AUTHENTICATION_FAILED,
                they_said=(f"authentication method {claim.method.name}",),
                we_said=("pre-shared key",),
            )
        octets = self._signed(by_initiator=leg == 0, id_body=self.context.peer_id_body)
        if not equal(claim.data, shared_key_proof(self._prf, self._secret, octets)):
            raise Refusal(
                NotifyType.AUTHENTICATION_FAILED,
                they_said=(f"{self.context.sa.remote_id}, with another pre-shared key",),
                we_said=(f"the pre-shared key configured for {self.context.sa.remote_id}",),
                detail="the pre-shared keys differ",
            )

    def _signed(self, *, by_initiator: bool, id_body: bytes) -> bytes:
        handshake = self.context
        if handshake.keys is None:
            raise malformed("authentication before keys")
        if by_initiator:
            message, nonce, key = handshake.request, handshake.responder_nonce, handshake.keys.pi
        else:
            message, nonce, key = handshake.response, handshake.initiator_nonce, handshake.keys.pr
        return signed_octets(self._prf, message, nonce, key, id_body, handshake.int_auth.octets)

    @property
    def _prf(self) -> Prf:
        suite = self.context.sa.suite
        if suite is None or suite.prf is None:
            raise malformed("authentication before a suite")
        return suite.prf

    @property
    def _secret(self) -> Secret:
        peer = self.context.sa.peer
        if peer is None:
            raise Refusal(NotifyType.AUTHENTICATION_FAILED)
        return peer.authentication.secret

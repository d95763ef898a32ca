"""Prove identity. RFC 7296, 2.15."""

from __future__ import annotations

from isthmus.crypto.compare import equal
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2 import ppk
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.keys import IkeKeys
from isthmus.engine.ikev2.octets import shared_key_proof, signed_octets
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.ike import FailureReason
from isthmus.model.algorithms import Prf
from isthmus.model.plan import PeerPlan, PpkMode
from isthmus.model.secret import Secret
from isthmus.wire.ikev2.payloads import Authentication, Notify
from isthmus.wire.registry import AuthMethod, NotifyType


class ProveIdentity(Step[Handshake]):
    """With a pre-shared key. Each end signs its own IKE_SA_INIT message, the other's nonce and its own identity."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake = self.context
        draft.add(Authentication(AuthMethod.SHARED_KEY, self._prove(leg, handshake.own_id_body, handshake.keys)))
        if leg == 0 and handshake.ppk is not None and not self._insists:
            # RFC 8784, 3: the same without the key, for a responder that does not have it.
            draft.notify(NotifyType.NO_PPK_AUTH, self._prove(leg, handshake.own_id_body, handshake.ppk.bare))

    def read(self, leg: int, message: Inbound) -> None:
        claim = message.need(Authentication)
        if claim.method != AuthMethod.SHARED_KEY:
            raise Refusal(
                NotifyType.AUTHENTICATION_FAILED,
                they_said=(f"authentication method {claim.method.name}",),
                we_said=("pre-shared key",),
            )
        handshake = self.context
        bare = message.notify(NotifyType.NO_PPK_AUTH) if leg == 0 else None
        proof = bare.data if bare is not None and handshake.ppk is None else claim.data
        if not equal(proof, self._prove(leg, handshake.peer_id_body, handshake.keys)):
            self._refuse_wrong_ppk(leg, bare)
            raise Refusal(
                NotifyType.AUTHENTICATION_FAILED,
                they_said=(f"{self.context.sa.remote_id}, with another pre-shared key",),
                we_said=(f"the pre-shared key configured for {self.context.sa.remote_id}",),
                detail="the pre-shared keys differ",
            )

    def _refuse_wrong_ppk(self, leg: int, bare: Notify | None) -> None:
        """Says so where all is well but for the post-quantum key. The peer hears the same as ever."""
        used, id_body = self.context.ppk, self.context.peer_id_body
        if used is None or (bare is not None and not equal(bare.data, self._prove(leg, id_body, used.bare))):
            return
        known = ppk.named((used.id,))[0]
        raise Refusal(
            NotifyType.AUTHENTICATION_FAILED,
            # Without NO_PPK_AUTH nobody can tell which of the two keys is wrong.
            reason=FailureReason.PPK_MISMATCH if bare is not None else FailureReason.AUTHENTICATION_FAILED,
            they_said=(f"{known}, with another key",),
            we_said=(f"{known}, as it is configured here",),
            detail=f"the keys of this PPK{'' if bare is not None else ', or the pre-shared keys,'} differ",
        )

    def _prove(self, leg: int, id_body: bytes, keys: IkeKeys | None) -> bytes:
        handshake = self.context
        if keys is None:
            raise malformed("authentication before keys")
        if leg == 0:
            message, nonce, key = handshake.request, handshake.responder_nonce, keys.pi
        else:
            message, nonce, key = handshake.response, handshake.initiator_nonce, keys.pr
        octets = signed_octets(self._prf, message, nonce, key, id_body, handshake.int_auth.octets)
        return shared_key_proof(self._prf, self._secret, octets)

    @property
    def _prf(self) -> Prf:
        suite = self.context.sa.suite
        if suite is None or suite.prf is None:
            raise malformed("authentication before a suite")
        return suite.prf

    @property
    def _secret(self) -> Secret:
        return self._peer.authentication.secret

    @property
    def _insists(self) -> bool:
        ours = self._peer.ppk
        return ours is not None and ours.mode is PpkMode.MANDATORY

    @property
    def _peer(self) -> PeerPlan:
        peer = self.context.sa.peer
        if peer is None:
            raise Refusal(NotifyType.AUTHENTICATION_FAILED)
        return peer

"""Setting up an IKE SA as initiator: IKE_SA_INIT, then IKE_AUTH with the first child. RFC 7296, 1.2."""

from __future__ import annotations

from isthmus.crypto.compare import equal
from isthmus.engine import preference, retry
from isthmus.engine.announcement import explain
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.established import derive_keys, establish, settle_path
from isthmus.engine.ikev2.exchanges import IKE_AUTH, IKE_SA_INIT
from isthmus.engine.ikev2.farewell import DeleteIke
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.intermediate import Intermediate
from isthmus.engine.ikev2.method_guess import MethodGuess
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ikev2.steps.redirect import told_redirect
from isthmus.engine.ledger import Turn
from isthmus.engine.passage import stopped_by_nat
from isthmus.engine.redirection import Redirect, decode_redirect
from isthmus.engine.refusal import Refusal, Report, malformed, reason_of
from isthmus.engine.states import IkeLife
from isthmus.events.ike import FailureReason
from isthmus.model.plan import ChildPlan, TunnelPlan
from isthmus.model.quantities import Seconds
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType

_BELIEVE_AFTER = 2.0
"""Seconds that an unprotected refusal waits for a proper answer to prove it forged (RFC 7296, 2.21.1)."""

_SHORTEST_DOUBT, _LONGEST_DOUBT = 0.2, 1.5
"""Seconds that a peer whose IKE answers is given to prove that it knows the IKE SA that stands."""

_MAX_COOKIES = 4
"""RFC 7296, 2.6.1: cookie and key exchange method may be asked for in turn, but not for ever."""

_MAX_COOKIE = 64


class InitIke(Intention):
    """IKE_SA_INIT."""

    def __init__(self, party: Party, tunnel: TunnelPlan | None, child: ChildPlan | None) -> None:
        self.party = party
        self.tunnel = tunnel
        self.child = child
        self._cookies = 0
        self._guess = MethodGuess(())
        self._hint: Report | None = None
        self._speaks_it = False
        """Whether something came that only IKEv2 says."""

    @property
    def tries(self) -> int:
        return preference.TRIES if self.party.sa.alternative else retry.MAX_ATTEMPTS

    def begin(self) -> Run[Handshake] | None:
        handshake, peer = self._handshake, self.party.sa.peer
        if peer is None:
            return None
        if not handshake.offered:
            handshake.offered = peer.profile.proposals
            self._guess = MethodGuess(handshake.offered)
        return Run(IKE_SA_INIT, handshake)

    def sent(self, datagrams: tuple[bytes, ...]) -> None:
        self._handshake.request = datagrams[0]

    def succeeded(self, message: Inbound) -> None:
        handshake = self._handshake
        handshake.response = message.octets
        derive_keys(self.party, handshake)
        settle_path(self.party, handshake)
        self._ask_the_doubted()
        if handshake.rounds is None:
            self._authenticate()
        else:
            self.party.requests.want(Intermediate(self.party, self.child, self._authenticate), first=True)

    def refused(self, notify: Notify) -> None:
        # Unprotected: anybody may have sent it. What it asks for is done if it costs little; a plain no is only a hint.
        match notify.notify:
            case NotifyType.COOKIE:
                self._present(notify.data)
            case NotifyType.INVALID_KE_PAYLOAD:
                self._change_method(notify.data)
            case NotifyType.REDIRECT:
                self._go_elsewhere(decode_redirect(notify.data))
            case kind if kind.error:
                we_said = tuple(str(p) for p in self._handshake.offered)
                self._hint = Report(reason_of(kind), (kind.name,), we_said, "unprotected: believed, as no answer came")
                if not self.party.sa.alternative:
                    # Else it counts as silence: it must not hasten what comes after that, which is IKEv1.
                    self.party.requests.abandon_within(_BELIEVE_AFTER)
            case _:
                pass

    def rejected(self, refusal: Refusal) -> None:
        self.party.fail(IKE_SA_INIT.name, refusal.report)

    def silent(self, attempts: int) -> None:
        nothing = Report(FailureReason.NO_ANSWER, detail=f"no answer from {self.party.sa.remote}")
        report, sa = self._hint or nothing, self.party.sa
        if sa.alternative and not self._speaks_it:
            sa.ledger.tell(sa.peer, Turn.VERSION_UNHEARD, reason=explain(report))
            sa.delete_silently(explain(report))
        else:
            self.party.fail(IKE_SA_INIT.name, report)

    @property
    def longest_wait(self) -> Seconds:
        sa = self.party.sa
        return super().longest_wait if sa.alternative or sa.peer is None else retry.missed_after(sa.peer)

    def _ask_the_doubted(self) -> None:
        """The peer can be reached: before anything replaces an IKE SA that stands, it is asked for that one again."""
        sa = self.party.sa
        doubted = sa.rivalry.doubted
        if doubted is not None and doubted.established:
            patience = doubted.dialect.ask_again()
            self.party.requests.pause(min(max(1.5 * patience, _SHORTEST_DOUBT), _LONGEST_DOUBT))

    def _authenticate(self) -> None:
        # RFC 6023: where nobody waits for a child, none is asked for.
        childless = self._handshake.childless and not self.party.sa.child_wanted
        child = None if childless else self.child
        self.party.requests.want(Authenticate(self.party, self.tunnel, child), first=True)

    def _present(self, cookie: bytes) -> None:
        if not 1 <= len(cookie) <= _MAX_COOKIE or self._cookies >= _MAX_COOKIES:
            return
        self._cookies += 1
        self._speaks_it = True
        self._handshake.cookie = cookie
        self._again()

    def _change_method(self, data: bytes) -> None:
        """RFC 7296, 1.3: only to what we had offered, and to each method once: nobody leads us in circles."""
        handshake = self._handshake
        method = self._guess.corrected(data)
        if method is not None:
            handshake.method, handshake.share = method, None
            self._speaks_it = True
            self._again()

    def _go_elsewhere(self, redirect: Redirect | None) -> None:
        """RFC 5685, 3: with our nonce, so that at least it has seen the request."""
        peer = self.party.sa.peer
        if redirect is None or peer is None or not equal(redirect.nonce, self._handshake.initiator_nonce):
            return
        self._speaks_it = True
        they_said = (f"REDIRECT to {redirect.gateway}",)
        self._hint = Report(FailureReason.PEER_REFUSED, they_said, detail="unprotected: believed, as no answer came")
        self.party.requests.abandon_within(_BELIEVE_AFTER)
        self.party.sa.ledger.tell_of_redirect(peer, redirect.gateway)

    def _again(self) -> None:
        self.party.requests.reset()
        self.party.requests.want(self, first=True)

    @property
    def _handshake(self) -> Handshake:
        return require_handshake(self.party)


class Authenticate(Intention):
    """IKE_AUTH, with the first child."""

    def __init__(self, party: Party, tunnel: TunnelPlan | None, child: ChildPlan | None) -> None:
        self.party = party
        self.tunnel = tunnel
        self.child = child

    @property
    def longest_wait(self) -> Seconds:
        return retry.HALF_OPEN_PACE

    def begin(self) -> Run[Handshake] | None:
        handshake, party = require_handshake(self.party), self.party
        obstacle = stopped_by_nat(party.sa, self.tunnel) if self.tunnel is not None else None
        if obstacle is not None and self.child is not None:
            if not handshake.childless:
                party.fail(IKE_AUTH.name, obstacle)
                return None
            # RFC 6023: the IKE SA comes without it, for others that have none of its trouble.
            party.fail_child(self.child.name, IKE_AUTH.name, party.sa.role, obstacle)
            self.child = None
        if self.tunnel is not None and self.child is not None:
            handshake.child = ChildSetup(
                self.party.sa, fresh=False, began_here=True, tunnel=self.tunnel, child=self.child
            )
        return Run(IKE_AUTH, handshake)

    def succeeded(self, message: Inbound) -> None:
        redirect = told_redirect(message)
        if redirect is None:
            establish(self.party, require_handshake(self.party))
        else:
            self._go_elsewhere(redirect)

    def refused(self, notify: Notify) -> None:
        they_said = (notify.notify.name,)
        we_said = (f"identity {self.party.sa.local_id}",)
        self.party.fail(IKE_AUTH.name, Report(reason_of(notify.notify), they_said, we_said))

    def rejected(self, refusal: Refusal) -> None:
        # RFC 7296, 2.21.2: the responder believes that it is authenticated; it is told that it is not.
        party = self.party
        party.handshake = None
        party.sa.become(IkeLife.DELETING)
        party.requests.want(DeleteIke(party, str(refusal.report.reason), error=refusal.notify), first=True)
        party.report_failure(IKE_AUTH.name, refusal.report)

    def _go_elsewhere(self, redirect: Redirect) -> None:
        """RFC 5685, 6: the gateway knows now who we are, and has no child for us; we leave it."""
        party, peer = self.party, self.party.sa.peer
        party.handshake = None
        party.sa.become(IkeLife.DELETING)
        party.requests.want(DeleteIke(party, "redirected"), first=True)
        they_said = (f"REDIRECT to {redirect.gateway}",)
        party.report_failure(IKE_AUTH.name, Report(FailureReason.PEER_REFUSED, they_said))
        if peer is not None:
            party.sa.ledger.tell_of_redirect(peer, redirect.gateway)

    def silent(self, attempts: int) -> None:
        detail = f"IKE_SA_INIT was answered, IKE_AUTH to {self.party.sa.remote} was not"
        self.party.fail(IKE_AUTH.name, Report(FailureReason.NO_ANSWER, detail=detail))


def require_handshake(party: Party) -> Handshake:
    """The set-up under way; what arrives after it is out of place."""
    if party.handshake is None:
        raise malformed("there is no set-up under way")
    return party.handshake

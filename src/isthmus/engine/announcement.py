"""What is told of an SA that stands, and of one that came to nothing, whatever the version."""

from __future__ import annotations

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ledger import Turn
from isthmus.engine.refusal import Report
from isthmus.events.child import ChildInstalled, ChildNarrowed
from isthmus.events.ike import FailureReason, IkeEstablished, NegotiationFailed, WeakAlgorithm
from isthmus.model.algorithms import NO_INTEGRITY_BECAUSE, Strength
from isthmus.model.proposal import Suite
from isthmus.model.selectors import TrafficSelector


def announce_ike(sa: IkeSa, ppk: str | None = None) -> None:
    """Tells that an IKE SA stands, whether it is weak, and which post-quantum key was mixed in."""
    if sa.suite is None:
        return
    sa.ledger.emit(
        IkeEstablished(
            **sa.label(),
            role=sa.role,
            suite=str(sa.suite),
            local_id=str(sa.local_id),
            remote_id=str(sa.remote_id),
            local=sa.local,
            remote=sa.remote,
            took=sa.ledger.now - sa.begun_at,
            ppk=ppk,
        )
    )
    warn_of_weakness(sa, sa.suite, None)


def announce(child: ChildSa, *, replaces: ChildSa | None = None) -> None:
    """Tells that a Child SA stands, how it differs from what was configured, and whether it is weak."""
    sa, terms = child.ike, child.terms
    ledger, label = sa.ledger, sa.label()
    local, remote = tuple(map(str, terms.local_ts)), tuple(map(str, terms.remote_ts))
    ledger.emit(
        ChildInstalled(
            **label,
            child=child.name,
            spi_in=terms.spi_in,
            spi_out=terms.spi_out,
            suite=str(terms.suite),
            local_ts=local,
            remote_ts=remote,
            replaces=replaces.terms.spi_in if replaces is not None else None,
        )
    )
    ledger.tell(sa.peer, Turn.CHILD_UP, child.name)
    if replaces is not None:
        return  # nothing new to say of what was narrow or weak before
    if not (_same(terms.local_ts, child.plan.local) and _same(terms.remote_ts, child.plan.remote)):
        ledger.emit(ChildNarrowed(**label, child=child.name, local_ts=local, remote_ts=remote))
    warn_of_weakness(sa, terms.suite, child.name)


def _same(agreed: tuple[TrafficSelector, ...], configured: tuple[TrafficSelector, ...]) -> bool:
    """In any order."""
    return agreed == configured or set(agreed) == set(configured)


def warn_of_weakness(sa: IkeSa, suite: Suite, child: str | None) -> None:
    """Old algorithms work, and are never silent (design, 1.5)."""
    exchanges = (suite.ke, *(row for _, row in suite.additional))
    for row in (suite.encryption, suite.integrity, suite.prf, *exchanges):
        if row is not None and row.strength is Strength.WEAK:
            sa.ledger.emit(WeakAlgorithm(**sa.label(), algorithm=row.name, because=row.because, child=child))
    if suite.unauthenticated:
        why = NO_INTEGRITY_BECAUSE
        sa.ledger.emit(WeakAlgorithm(**sa.label(), algorithm="none", because=why, child=child))


def report_failure(sa: IkeSa, stage: str, report: Report) -> None:
    """The IKE SA came to nothing: said with both sides of the disagreement."""
    failed = NegotiationFailed(
        **sa.label(),
        stage=stage,
        role=sa.role,
        reason=report.reason,
        they_said=report.they_said,
        we_said=report.we_said,
        detail=report.detail,
    )
    # Who calls us has proved nothing, and may do so as often as it likes.
    tell = sa.ledger.emit if sa.began_here else sa.ledger.emit_rarely
    tell(failed)
    if sa.began_here:
        turn = Turn.IKE_UNANSWERED if report.reason is FailureReason.NO_ANSWER else Turn.IKE_FAILED
        sa.ledger.tell(sa.peer, turn, reason=explain(report))


def report_child_failure(sa: IkeSa, child: str | None, stage: str, role: str, report: Report) -> None:
    """A child could not be agreed; the IKE SA stands."""
    sa.ledger.emit(
        NegotiationFailed(
            **sa.label(),
            stage=stage,
            role=role,
            child=child,
            reason=report.reason,
            they_said=report.they_said,
            we_said=report.we_said,
            detail=report.detail,
        )
    )
    if child is not None:
        sa.ledger.tell(sa.peer, Turn.CHILD_FAILED, child, explain(report))


def explain(report: Report) -> str:
    """A report in one line, for `show tunnels`."""
    said = f": they said {', '.join(report.they_said)}" if report.they_said else ""
    ours = f"; we said {', '.join(report.we_said)}" if report.we_said else ""
    return f"{report.reason}{said}{ours}" + (f" ({report.detail})" if report.detail else "")

"""The user-space data plane, with its traffic added up."""

from __future__ import annotations

from typing import Final

from isthmus.dataplane.userspace import UserspacePlane
from isthmus.model.sa_spec import DataPlaneOp
from isthmus.observe.traffic import TrafficTotals


class MeteredPlane(UserspacePlane):
    """Events come too late to read an SA's counters a last time; here every operation passes."""

    def __init__(self, traffic: TrafficTotals) -> None:
        super().__init__()
        self._traffic: Final = traffic

    def apply(self, op: DataPlaneOp) -> None:
        self._traffic.before(op)
        super().apply(op)
        self._traffic.after(op)

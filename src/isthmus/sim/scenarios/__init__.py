"""Named, documented stories. Importing this package fills the table."""

from isthmus.sim.scenario import TABLE
from isthmus.sim.scenarios import (
    crossing,
    delete,
    extras,
    fragments,
    hostile,
    ikev1,
    mobike,
    nat,
    post_quantum,
    ppk,
    recovery,
    redirect,
    refusal,
    rekey,
    setup,
    versions,
    weather,
)

__all__ = [
    "TABLE",
    "crossing",
    "delete",
    "extras",
    "fragments",
    "hostile",
    "ikev1",
    "mobike",
    "nat",
    "post_quantum",
    "ppk",
    "recovery",
    "redirect",
    "refusal",
    "rekey",
    "setup",
    "versions",
    "weather",
]

"""Throw damaged messages at the IKEv2 codec.

    python fuzz/message.py --seconds 60 --seed 1

Every input must end in a value or in a WireError, and a value must survive being written and read again.
The corpus holds whole messages (`message-*.hex`) and insides of SK payloads (`chain-FIRST-*.hex`, FIRST being the
type of the first payload). An input whose outcome is new is kept and damaged further. The same seed and number of
runs give the same inputs.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from mutation import mutate

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.message import decode, decode_payloads, encode, encode_payloads
from isthmus.wire.ikev2.notation import notation
from isthmus.wire.registry import PayloadType

CORPUS = Path(__file__).parent / "corpus"
MOST_KEPT = 5000
_HEADER = 28
_LENGTH = slice(24, 28)
_NUMBERS = re.compile(r"\d+")


class Finding(Exception):
    """The codec broke its promise."""


@dataclass(frozen=True, slots=True)
class Seed:
    """Octets, and what they are read as: a message where `first` is None, else a chain that begins with that type."""

    octets: bytes
    first: int | None


@dataclass(slots=True)
class Campaign:
    """A pool of inputs that grows with each outcome not seen before."""

    pool: list[Seed]
    random: Random
    outcomes: set[str] = field(default_factory=set)
    runs: int = 0

    def run(self) -> None:
        chosen = self.random.choice(self.pool)
        octets = mutate(self.random, chosen.octets, [seed.octets for seed in self.random.choices(self.pool, k=4)])
        candidate = Seed(self._mend(octets) if chosen.first is None else octets, chosen.first)
        self.runs += 1
        try:
            outcome = outcome_of(candidate)
        except Exception as error:
            raise Finding(f"run {self.runs}, first {candidate.first}: {candidate.octets.hex()}") from error
        if outcome not in self.outcomes:
            self.outcomes.add(outcome)
            if len(self.pool) < MOST_KEPT:
                self.pool.append(candidate)

    def _mend(self, octets: bytes) -> bytes:
        """Mostly give the header the right length, or nearly every input would end there."""
        if len(octets) < _HEADER or self.random.random() < 0.05:
            return octets
        return octets[: _LENGTH.start] + len(octets).to_bytes(4, "big") + octets[_LENGTH.stop :]


def outcome_of(seed: Seed) -> str:
    """What became of an input, without its numbers; raises if that is neither a value nor a WireError."""
    try:
        said = _read_message(seed.octets) if seed.first is None else _read_chain(seed.first, seed.octets)
    except WireError as error:
        if not 0 <= error.offset <= len(seed.octets) or not error.field or not error.why:
            raise ValueError(f"an error that says nothing: {error!r}") from error
        said = str(error)
    return _NUMBERS.sub("", said)


def _read_message(octets: bytes) -> str:
    message = decode(octets)
    again = decode(encode(message.header, message.payloads))
    if message.octets != octets or again.payloads != message.payloads:
        raise ValueError(f"written as {again.octets.hex()}")
    return notation(message)


def _read_chain(first: int, octets: bytes) -> str:
    payloads = decode_payloads(PayloadType(first), octets)
    if decode_payloads(*encode_payloads(payloads)) != payloads:
        raise ValueError(f"written as {encode_payloads(payloads)[1].hex()}")
    return notation(payloads)


def load(corpus: Path) -> list[Seed]:
    """The corpus in the order of its names: lines of hex, `#` begins a comment."""
    seeds = []
    for path in sorted(corpus.glob("*.hex")):
        text = "".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
        kind, number, *_ = path.stem.split("-")
        seeds.append(Seed(bytes.fromhex(text), int(number) if kind == "chain" else None))
    return seeds


def main() -> int:
    parser = argparse.ArgumentParser(description="Throw damaged messages at the IKEv2 codec.")
    parser.add_argument("--seconds", type=float, default=10.0, help="stop after so long (default 10)")
    parser.add_argument("--runs", type=int, default=None, help="stop after so many inputs")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default 0)")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="directory of seeds")
    arguments = parser.parse_args()

    campaign = Campaign(load(arguments.corpus), Random(arguments.seed))
    for seed in campaign.pool:
        campaign.outcomes.add(outcome_of(seed))
    end = time.monotonic() + arguments.seconds
    try:
        while time.monotonic() < end and (arguments.runs is None or campaign.runs < arguments.runs):
            campaign.run()
    except Finding as finding:
        print(f"seed {arguments.seed}, {finding}", file=sys.stderr)
        print(f"{type(finding.__cause__).__name__}: {finding.__cause__}", file=sys.stderr)
        return 1
    print(f"{campaign.runs} inputs, {len(campaign.outcomes)} different outcomes, no finding")
    return 0


if __name__ == "__main__":
    sys.exit(main())

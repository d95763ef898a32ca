"""What sealing, opening and finding the SA of one packet costs in the Rust core: `python -m bench.packets`.

Runs `cargo bench` and keeps what it says. `--output FOLDER` writes JSON beside the tables.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
BENCHES = ("suites", "lookups")


def measure(name: str) -> list[dict[str, Any]]:
    """The rows of one bench."""
    argv = ["cargo", "bench", "--quiet", "--locked", "--package", "esp-core", "--bench", name, "--", "--json"]
    said = subprocess.run(argv, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    rows: list[dict[str, Any]] = json.loads(said)
    return rows


def processor() -> str:
    """What the processor calls itself, and what of it matters here."""
    lines = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    facts = {name.strip(): value.strip() for name, _, value in lines}
    has = facts.get("flags", "").split()
    wide = [flag for flag in ("aes", "vaes", "avx512f", "sha_ni") if flag in has]
    return f"{facts.get('model name', platform.machine())} ({', '.join(wide)})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.packets", description=__doc__)
    parser.add_argument("--output", type=Path, help="folder for the JSON")
    asked = parser.parse_args()
    results = {name: measure(name) for name in BENCHES}
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        told = {"date": datetime.now(UTC).date().isoformat(), "machine": processor(), "results": results}
        (asked.output / "packets.json").write_text(json.dumps(told, indent=1) + "\n")
    for rows in results.values():
        print("".join(f"{heading:>20}" for heading in rows[0]))
        for row in rows:
            print("".join(f"{value:>20}" for value in row.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

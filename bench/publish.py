"""Puts what `make bench` measured where readers look: `python -m bench.publish [--results FOLDER]`.

The files go to docs/bench under the date of the run, with a page of all tables beside them; the README shows the most
important rows between its two marks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_DOCS = _ROOT / "docs/bench"
_BEGIN, _END = "<!-- bench: made by bench/publish.py -->", "<!-- end of bench -->"
_SHOWN = {
    "TCP, 1 stream forth": "TCP, 1 stream, Gbit/s",
    "TCP, 4 streams forth": "TCP, 4 streams, Gbit/s",
    "UDP, 64 octets, 120 thousand/s offered": "UDP, 64 octets, 120,000/s offered: thousand/s delivered",
    "UDP, 64 octets, flood": "UDP, 64 octets, flood: thousand/s delivered",
    "ping, 100 a second, mean": "ping, 100 a second, mean, ms",
    "ping, each after the answer to the last, mean": "ping, each after the answer to the last, mean, ms",
}

Told = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.publish", description=__doc__)
    parser.add_argument("--results", type=Path, default=_ROOT / "bench/results", help="what the bench wrote")
    folder: Path = parser.parse_args().results
    told = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}
    if "bench" not in told:
        print(f"{folder} has no bench.json: run make bench first", file=sys.stderr)
        return 1
    date: str = told["bench"]["date"]
    _DOCS.mkdir(exist_ok=True)
    for name in told:
        shutil.copy(folder / f"{name}.json", _DOCS / (f"{date}.json" if name == "bench" else f"{date}-{name}.json"))
    shutil.copy(folder / "bench.svg", _DOCS / f"{date}.svg")
    page = "\n".join(_page(date, told))
    (_DOCS / f"{date}.md").write_text(page)
    readme = _ROOT / "README.md"
    before, _, rest = readme.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    readme.write_text("\n".join([f"{before}{_BEGIN}", *_summary(date, told), f"{_END}{after}"]))
    print(f"README.md and docs/bench/{date}.md show the run of {date}")
    return 0


def _summary(date: str, told: dict[str, Told]) -> Iterator[str]:
    bench = told["bench"]
    contenders: dict[str, list[Told]] = bench["results"]
    yield f"`make bench`, {date}: {bench['machine']}. AES-128-GCM."
    yield "In brackets: packets lost; microseconds of CPU for a packet, on the busier gateway."
    yield ""
    rows = [[label, *(_cell(figures, name) for figures in contenders.values())] for name, label in _SHOWN.items()]
    yield from _table(["", *contenders], rows)
    yield ""
    if "setups" in told:
        yield from _set_ups(told["setups"])
        yield ""
    if "scale" in told:
        figures = {figure["what"]: figure for figure in told["scale"]["figures"]}
        up, memory = figures["start of the caller to the last tunnel up"], figures["memory"]
        yield f"{told['scale']['tunnels']} tunnels on one gateway: up in {up['hub']:.0f} s, {memory['hub']:.0f} MB."
        yield ""
    yield f"[All of it](docs/bench/{date}.md), [how it is done](docs/decisions/008-the-fast-path.md)."


def _page(date: str, told: dict[str, Told]) -> Iterator[str]:
    bench = told["bench"]
    contenders: dict[str, list[Told]] = bench["results"]
    yield f"# Measured on {date}"
    yield ""
    yield f"{bench['machine']}; {bench['iperf3']}."
    yield "In brackets: packets lost; microseconds of CPU for a packet, left and right gateway."
    yield ""
    names = [figure["name"] for figure in next(iter(contenders.values()))]
    units = [figure["unit"] for figure in next(iter(contenders.values()))]
    rows = [
        [f"{name}, {unit}", *(_cell(figures, name, busier=False) for figures in contenders.values())]
        for name, unit in zip(names, units, strict=True)
    ]
    yield from _table(["", *contenders], rows)
    yield f"\n![The same as bars]({date}.svg)\n"
    if "packets" in told:
        packets = told["packets"]
        yield f"## One packet in the Rust core\n\n{packets['machine']}; the best of many runs.\n"
        for rows_ in packets["results"].values():
            yield from _table(list(rows_[0]), [[str(value) for value in row.values()] for row in rows_])
            yield ""
    if "setups" in told:
        yield "## Set-ups\n"
        yield from _set_ups(told["setups"])
        yield ""
    if "scale" in told:
        yield f"## {told['scale']['tunnels']} tunnels between two gateways\n"
        scale = [
            [f"{f['what']}, {f['unit']}", _number(f["hub"]), _number(f["caller"])] for f in told["scale"]["figures"]
        ]
        yield from _table(["", "the one called", "the one that calls"], scale)
        yield ""
    if "simulated-scale" in told:
        yield from _simulated_scale(told["simulated-scale"])
        yield ""


def _simulated_scale(scale: Told) -> Iterator[str]:
    few, many = scale["tunnels"]
    shortest, longest = (1000 * seconds for seconds in scale["latency"])
    yield f"## {many} tunnels in the simulated network\n"
    yield f"One gateway and its peers, {shortest:g} to {longest:g} ms each way, seed {scale['seed']}:"
    yield f"{scale['minutes']:g} minutes of peace, {scale['silence']:g} s without a packet, a restart of the gateway."
    yield "Times are virtual; CPU, steps and memory are those of that gateway's engine, packets those of both ends."
    yield f"On {scale['machine']}.\n"
    rows = [
        [", ".join(filter(None, (f["what"], f["unit"]))), _number(f["few"]), _number(f["many"]), _ratio(f)]
        for f in scale["figures"]
    ]
    yield from _table(
        ["for each tunnel, where it is no time on the wire", f"{few} tunnels", f"{many} tunnels", "ratio"], rows
    )


def _ratio(figure: Told) -> str:
    return _number(figure["many"] / figure["few"]) if figure["few"] else ""


def _set_ups(setups: Told) -> Iterator[str]:
    results: dict[str, dict[str, Told]] = setups["results"]
    contenders = list(dict.fromkeys(name for row in results.values() for name in row))
    rows = [
        [
            row,
            *(
                f"{costs[name]['cpu']:.2f} ({costs[name]['memory']:.0f})" if name in costs else ""
                for name in contenders
            ),
        ]
        for row, costs in results.items()
    ]
    yield from _table(["responder's CPU for a set-up, ms (memory, kB)", *contenders], rows)


def _cell(figures: Sequence[Told], name: str, *, busier: bool = True) -> str:
    figure = next(figure for figure in figures if figure["name"] == name)
    notes = [] if figure["loss"] is None else [f"{figure['loss']:.1f} %"]
    if cpu := figure["cpu"]:
        notes.append(f"{max(cpu):.1f}" if busier else " ".join(f"{cost:.1f}" for cost in cpu))
    return _number(figure["rate"]) + (f" ({'; '.join(notes)})" if notes else "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.exit(main())

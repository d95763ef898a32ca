"""Stacks out of what `perf script` prints, and what kind of work each function in them is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

FIELDS = "comm,pid,tid,ip,sym,dso"
"""What `perf script` is to print of a sample."""


class Kind(StrEnum):
    OURS = "our own code"
    CIPHER = "cipher"
    TUN = "tunnel interface"
    SEND = "sending"
    RECEIVE = "receiving"
    STACKS = "hosts' own stacks"
    """What the system does beyond the gateway, on its account: it delivers to sockets, and TCP answers."""
    SCHEDULER = "sleep, wake, turns"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Frame:
    name: str
    kind: Kind


Stacks: TypeAlias = Counter[tuple[Frame, ...]]
"""How often each stack was met, the outermost function first; before that stands the thread."""

_SAMPLE = re.compile(r"(?P<thread>.+?)\s+(?P<process>\d+)/\d+\s*$")
_CALL = re.compile(r"\s+[0-9a-f]+ (?P<name>.+) \((?P<file>.*?)\)$")

_USER = (
    (re.compile(r"\besp_(core|io|py)::"), Kind.OURS),
    (re.compile(r"_?ring_core_|<?(ring|aes|ghash|des|hmac|sha\d|md5)::"), Kind.CIPHER),
    (re.compile(r"(__)?(GI___)?(read|write|readv|writev)$"), Kind.TUN),
    (re.compile(r"(__)?(GI___)?(sendm?msg|sendmmsg|sendto)$"), Kind.SEND),
    (re.compile(r"(__)?(GI___)?(recvm?msg|recvmmsg|recvfrom)$"), Kind.RECEIVE),
    (re.compile(r"(__)?(epoll_p?wait|poll|sched_yield)$"), Kind.SCHEDULER),
    (re.compile(r"_?Py"), Kind.OTHER),
)
_SYSTEM = (
    (re.compile(r"asm_(sysvec|exc|common)_"), Kind.OTHER),
    (re.compile(r"tun_(chr_read|chr_write|get_user|do_read)"), Kind.TUN),
    (re.compile(r"(__x64_sys_|__sys_)send"), Kind.SEND),
    (re.compile(r"(__x64_sys_|__sys_|do_)recv"), Kind.RECEIVE),
    (re.compile(r"(handle_softirqs|do_softirq|net_rx_action|_*netif_receive_skb)"), Kind.STACKS),
    (re.compile(r"(__)?(schedule(_.*)?|cond_resched)$|__x64_sys_(epoll|sched|futex|nanosleep)"), Kind.SCHEDULER),
    (
        re.compile(r"try_to_wake_up|(__)?wake_up|default_wake_function|ep_poll_callback|pipe_(read|write)"),
        Kind.SCHEDULER,
    ),
    (re.compile(r"sock_write_iter|unix_stream_"), Kind.OTHER),
)
_BEGINNING = re.compile(r"start_thread$|clone3?$|<?std::sys::|core::ops::function::")
"""How every thread begins: no news."""

_NOISE = re.compile(
    r"ring_core_\d+_\d+_\d+_+|__GI___|\.(isra|part|constprop|cold)(\.\d+)?|_noprof$|::h[0-9a-f]{16}$|<[A-Z](,[A-Z])*>"
)
_TRAIT = re.compile(r"<(?:&)?([\w:]+)(?:<[^<>]*>)? as [^<>]*(?:<[^<>]*>)?[^<>]*>::")


def fold(printed: str) -> dict[int, Stacks]:
    """The stacks of each process."""
    folded: dict[int, Stacks] = {}
    for block in printed.split("\n\n"):
        head, *calls = block.strip("\n").split("\n")
        if (sample := _SAMPLE.match(head)) is None:
            continue
        stack = (Frame(_thread(sample["thread"]), Kind.OTHER), *_frames(calls))
        folded.setdefault(int(sample["process"]), Counter())[stack] += 1
    return folded


def shares(stacks: Stacks) -> dict[Kind, float]:
    """In percent, by what the innermost function was busy with."""
    found: Counter[Kind] = Counter()
    for stack, count in stacks.items():
        found[stack[-1].kind] += count
    return {kind: 100 * found[kind] / max(found.total(), 1) for kind in Kind}


def _thread(name: str) -> str:
    """Those that move packets have names; the others, and pools with a name for each, are the interpreter's."""
    return name.strip() if name.strip().startswith("esp-") else "python"


def _frames(calls: Sequence[str]) -> Iterator[Frame]:
    """What no rule knows does the work of its caller, except that the system's is never ours."""
    kind = Kind.OTHER
    for line in reversed(calls):
        call = _CALL.match(line)
        if call is None or call["name"] == "[unknown]" or _BEGINNING.match(call["name"]):
            continue
        kind = _kind(call["name"], kind, _SYSTEM if call["file"].startswith("[kernel") else _USER)
        yield Frame(_shortened(call["name"]), kind)


def _kind(name: str, caller: Kind, rules: Sequence[tuple[re.Pattern[str], Kind]]) -> Kind:
    # Our own modules' names stand within those of traits and generics; the others are whole names.
    for pattern, kind in rules:
        if pattern.search(name) if kind is Kind.OURS else pattern.match(name):
            return kind
    return Kind.OTHER if rules is _SYSTEM and caller in (Kind.OURS, Kind.CIPHER) else caller


def _shortened(name: str) -> str:
    return _NOISE.sub("", _TRAIT.sub(r"\1::", name))

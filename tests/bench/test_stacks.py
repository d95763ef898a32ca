from __future__ import annotations

from collections import Counter

from bench.stacks import Frame, Kind, fold, shares


def _sample(thread: str, *calls: str) -> str:
    """As `perf script` prints it, the innermost call first."""
    return "\n".join([f"{thread} ", *(f"\t           f1b42 {call}" for call in calls), ""])


_BEGIN = (
    "std::sys::backtrace::__rust_begin_short_backtrace (/x/_esp.abi3.so)",
    "<std::sys::thread::unix::Thread>::new::thread_start (/x/_esp.abi3.so)",
    "start_thread (/usr/lib/libc.so.6)",
)
_SEAL = _sample(
    "esp-out-0  7200/7203",
    "ring_core_0_17_14__aes_gcm_enc_update_vaes_avx2 (/x/_esp.abi3.so)",
    "ring::aead::aes_gcm::seal_vaes_clmul_avx2 (/x/_esp.abi3.so)",
    "<esp_core::transform::aead::Aead as esp_core::transform::Transform>::seal (/x/_esp.abi3.so)",
    "esp_io::worker::Worker::round (/x/_esp.abi3.so)",
    *_BEGIN,
)
_DELIVERED = _sample(
    "esp-in-0  7180/7189",
    "skb_segment.isra.0 ([kernel.kallsyms])",
    "netif_receive_skb ([kernel.kallsyms])",
    "tun_get_user ([kernel.kallsyms])",
    "do_syscall_64 ([kernel.kallsyms])",
    "__GI___writev (/usr/lib/libc.so.6)",
    "esp_io::tun::Tun::write (/x/_esp.abi3.so)",
    "[unknown] ([unknown])",
    *_BEGIN,
)
_INTERRUPTED = _sample(
    "esp-in-0  7180/7189",
    "irqentry_exit_to_user_mode ([kernel.kallsyms])",
    "__memmove_avx_unaligned_erms (/usr/lib/libc.so.6)",
    "esp_io::ingress::open (/x/_esp.abi3.so)",
    *_BEGIN,
)
_INTERPRETED = _sample("asyncio_0  7180/7181", "_PyEval_EvalFrameDefault (/usr/lib/libpython3.11.so.1.0)")


def test_a_stack_begins_with_its_thread_and_names_what_is_worth_naming() -> None:
    stacks = fold(f"{_SEAL}\n{_SEAL}\n{_DELIVERED}")
    assert stacks[7200] == Counter(
        {
            (
                Frame("esp-out-0", Kind.OTHER),
                Frame("esp_io::worker::Worker::round", Kind.OURS),
                Frame("esp_core::transform::aead::Aead::seal", Kind.OURS),
                Frame("ring::aead::aes_gcm::seal_vaes_clmul_avx2", Kind.CIPHER),
                Frame("aes_gcm_enc_update_vaes_avx2", Kind.CIPHER),
            ): 2
        }
    )


def test_what_no_rule_knows_does_the_work_of_its_caller() -> None:
    (stack,) = fold(_DELIVERED)[7180]
    assert [(frame.name, frame.kind) for frame in stack] == [
        ("esp-in-0", Kind.OTHER),
        ("esp_io::tun::Tun::write", Kind.OURS),
        ("writev", Kind.TUN),
        ("do_syscall_64", Kind.TUN),
        ("tun_get_user", Kind.TUN),
        ("netif_receive_skb", Kind.STACKS),
        ("skb_segment", Kind.STACKS),
    ]


def test_what_the_system_does_is_never_ours() -> None:
    (stack,) = fold(_INTERRUPTED)[7180]
    assert [frame.kind for frame in stack[1:]] == [Kind.OURS, Kind.OURS, Kind.OTHER]


def test_threads_of_the_interpreter_are_one() -> None:
    (stack,) = fold(_INTERPRETED)[7180]
    assert [frame.name for frame in stack] == ["python", "_PyEval_EvalFrameDefault"]


def test_shares_are_those_of_the_innermost_function() -> None:
    stacks = fold("\n".join([_DELIVERED, _DELIVERED, _DELIVERED, _INTERRUPTED]))[7180]
    told = shares(stacks)
    assert told[Kind.STACKS] == 75
    assert told[Kind.OTHER] == 25
    assert sum(told.values()) == 100


def test_nothing_recorded_has_no_shares() -> None:
    assert fold("") == {}
    assert sum(shares(Counter()).values()) == 0

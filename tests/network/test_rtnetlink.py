from __future__ import annotations

import socket

import pytest

from isthmus.network import rtnetlink
from isthmus.network.rtnetlink import Connection, KernelRefusal, Kind, LinkAttribute
from tests.network.namespace import Namespace, needs_root

LOOPBACK = 1


def names() -> set[str]:
    with Connection() as kernel:
        told = kernel.list(Kind.GET_LINK, rtnetlink.LINK.pack(0, 0, 0, 0, 0))
    return {rtnetlink.as_text(attributes[LinkAttribute.NAME]) for _, attributes in told}


def test_an_attribute_is_padded_to_four_octets_and_says_its_length_without_the_padding() -> None:
    assert rtnetlink.text(3, "eth") == bytes.fromhex("08000300") + b"eth\0"
    assert rtnetlink.text(3, "eth0") == bytes.fromhex("09000300") + b"eth0\0\0\0\0"
    assert rtnetlink.nested(26, rtnetlink.attribute(8, b"\1")) == bytes.fromhex("0c001a80 05000800 01000000")


@needs_root
def test_a_list_that_takes_many_datagrams_is_told_to_its_end(host: Namespace) -> None:
    wanted = {f"many{number}" for number in range(100)}
    for name in wanted:
        host.tun(name)
    assert wanted < host.run(names)


@needs_root
def test_what_the_kernel_refuses_is_told_in_its_words(host: Namespace) -> None:
    def add_twice() -> None:
        address = socket.inet_aton("192.0.2.1")
        with Connection() as kernel:
            for _ in range(2):
                kernel.change(
                    Kind.NEW_ADDRESS,
                    rtnetlink.ADDRESS.pack(socket.AF_INET, 24, 0, 0, LOOPBACK),
                    rtnetlink.attribute(rtnetlink.AddressAttribute.LOCAL, address),
                )

    with pytest.raises(KernelRefusal) as refusal:
        host.run(add_twice)
    assert refusal.value.why == "File exists"


@needs_root
def test_a_connection_goes_on_after_a_refusal(host: Namespace) -> None:
    def refused_then_listed() -> int:
        with Connection() as kernel:
            with pytest.raises(KernelRefusal):
                kernel.change(Kind.DELETE_LINK, rtnetlink.LINK.pack(0, 0, 4711, 0, 0))
            return len(kernel.list(Kind.GET_LINK, rtnetlink.LINK.pack(0, 0, 0, 0, 0)))

    assert host.run(refused_then_listed) >= 1

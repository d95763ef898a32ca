import pytest

from isthmus.engine.vendors import FRAGMENTATION, name_of, names_of


@pytest.mark.parametrize(
    ("vendor", "name"),
    [
        # As peers were seen to announce them.
        ("4a131c81070358455c5728f20e95452f", "NAT-T (RFC 3947)"),
        ("90cb80913ebb696e086381b5ec427b1f", "NAT-T (draft)"),
        ("cd60464335df21f87cfdb2fc68b6a448", "NAT-T (draft)"),
        ("7d9419a65310ca6f2c179d9215529d56", "NAT-T (draft)"),
        ("4485152d18b6bbcd0be8a8469579ddcc", "NAT-T (another draft)"),
        ("afcad71368a1f1c96b8696fc77570100", "DPD"),
        ("4048b7d56ebce88525e7de7f00d6c2d3c0000000", "fragmentation"),
        ("8299031757a36082c6a621de0005024d", "FortiGate"),
        ("12f5f28c457168a9702d9fe274cc0100", "Cisco Unity"),
        ("1e2b516905991c7d7c96fcbfb587e46100000009", "Windows"),
        ("882fe56d6fd20dbc2251613b2ebe5beb", "strongSwan"),
    ],
)
def test_who_announces_what_is_known_by_its_octets(vendor: str, name: str) -> None:
    assert name_of(bytes.fromhex(vendor)) == name


def test_what_nobody_knows_is_shown_in_hex_and_nothing_twice() -> None:
    assert names_of((b"\x01\xff", FRAGMENTATION, FRAGMENTATION + bytes(4))) == ("01ff", "fragmentation")

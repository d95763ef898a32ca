from __future__ import annotations

import json
from ipaddress import IPv4Address

import pytest

from isthmus.events.ike import FailureReason
from isthmus.model.secret import Secret
from isthmus.observe.fields import child_of, particulars, plain, printable
from tests.api.facts import established, failed, installed


def test_particulars_leave_out_what_every_record_has_in_its_own_place() -> None:
    record = particulars(failed(FailureReason.IDENTITY_MISMATCH, child="branch:lan"))
    assert record == {
        "stage": "IKE_SA_INIT",
        "role": "initiator",
        "reason": "identity-mismatch",
        "they_said": ["NO_PROPOSAL_CHOSEN"],
        "we_said": ["aes-256-gcm/prf-sha384/group20"],
        "detail": "",
        "count": 1,
    }


def test_particulars_are_json() -> None:
    assert json.loads(json.dumps(particulars(established())))["remote"] == "198.51.100.2:500"


def test_the_child_of_an_event_is_none_where_there_is_none() -> None:
    assert child_of(established()) is None
    assert child_of(failed()) is None
    assert child_of(installed("branch:lan")) == "branch:lan"


def test_a_secret_appears_as_its_length() -> None:
    assert plain({"key": Secret(b"0123456789abcdef")}) == {"key": "<16 octets>"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x01\xff", "01ff"),
        (frozenset({1}), [1]),
        (IPv4Address("192.0.2.1"), "192.0.2.1"),
        (FailureReason.NO_ANSWER, "no-answer"),
        (None, None),
        (True, True),
    ],
)
def test_values_have_a_plain_form(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_control_characters_are_escaped_so_that_a_peer_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert printable("größe") == "größe"

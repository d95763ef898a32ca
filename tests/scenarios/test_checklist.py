"""The cases that another implementation's suites go through for rekeys, deletes and set-ups, and where ours stand.

Names on the left are those of strongSwan's suites `test_child_rekey`, `test_ike_rekey`, `test_child_delete`,
`test_ike_delete`, `test_child_create` and `test_childless`. On the right: scenarios of ours (with `*` for the ends and
the weather that they are told in), or tests of the engine where one end has to misbehave. Their `ike_mid_sync` has no
counterpart: message IDs that two members of a cluster synchronise (RFC 6311) are not supported.
"""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from isthmus.sim.scenarios import TABLE

ENGINE = Path(__file__).parents[1] / "engine" / "ikev2"

CHILD_REKEY = {
    "regular": ("rekey-child-east", "rekey-child-west", "rekey-child-under-loss-*"),
    "ke_invalid": ("rekey-child-invalid-ke-east", "rekey-child-invalid-ke-west"),
    "multi_ke": ("rekey-with-ml-kem-rekey-child-*", "rekey-with-three-rounds-rekey-child"),
    "ke_invalid_multi_ke": ("rekey-with-and-without-ml-kem-both-at-once-rekey-child", "rekey-with-ml-kem-storm"),
    "delete_timeout": ("rekey-child-lost-delete", "children:that_nobody_deletes_after_its_renewal"),
    "responder_ignore_soft_expire": ("children:soft_limit_of_a_child_that_has_a_successor",),
    "responder_handle_hard_expire": ("children:hard_limit_of_a_child_that_has_a_successor",),
    "responder_delete": ("cross-rekey-child-delete-child-*", "cross-delete-child-rekey-child-*"),
    "responder_incorrect_delete": ("children:deletes_what_it_is_not_to_delete",),
    "responder_lost_sa": ("children:that_the_peer_has_lost",),
    "collision": ("cross-rekey-child-rekey-child-clean", "rekey-child-both-at-once"),
    "collision_mixed": ("rekey-with-and-without-ml-kem-both-at-once-rekey-child",),
    "collision_multi_ke": ("rekey-with-ml-kem-both-at-once-rekey-child", "rekey-with-ml-kem-crossing-rekey-child-*"),
    "collision_delayed_response": ("cross-rekey-child-rekey-child-late-response",),
    "collision_delayed_response_delete": ("cross-rekey-child-rekey-child-very-late-response",),
    "collision_delayed_response_multi_ke": ("rekey-with-ml-kem-lost-rekey-child-*-response",),
    "collision_delayed_request": ("cross-rekey-child-rekey-child-late-request",),
    "collision_delayed_request_more": ("cross-rekey-child-rekey-child-very-late-request",),
    "collision_delayed_request_more_delete": ("cross-rekey-child-rekey-child-lost-second-request",),
    "collision_delayed_request_multi_ke": ("rekey-with-ml-kem-lost-rekey-child-*-request",),
    "collision_ke_invalid": ("rekey-child-invalid-ke-both-at-once-clean",),
    "collision_ke_invalid_delayed_retry": ("rekey-child-invalid-ke-both-at-once-late-retry-*",),
    "collision_delete": ("cross-rekey-child-delete-child-clean", "cross-delete-child-rekey-child-clean"),
    "collision_delete_delayed_response": ("cross-rekey-child-delete-child-late-response",),
    "collision_delete_drop_rekey": ("cross-rekey-child-delete-child-lost-request",),
    "collision_delete_drop_delete": ("cross-delete-child-rekey-child-lost-request",),
    "collision_delete_multi_ke": ("rekey-with-ml-kem-crossing-rekey-child-delete-child",),
    "collision_responder_incorrect_delete": ("children:deletes_what_it_is_not_to_delete",),
    "collision_ike_rekey": ("cross-rekey-child-rekey-ike-*", "cross-rekey-ike-rekey-child-*"),
    "collision_ike_delete": ("cross-rekey-child-delete-ike-*", "cross-delete-ike-rekey-child-*"),
}
IKE_REKEY = {
    "regular": ("rekey-ike-east", "rekey-ike-west", "rekey-ike-under-loss-*"),
    "regular_ke_invalid": ("rekey-ike-invalid-ke-east", "rekey-ike-invalid-ke-west"),
    "regular_multi_ke": ("rekey-with-ml-kem-rekey-ike-*", "rekey-with-three-rounds-rekey-ike"),
    "collision": ("cross-rekey-ike-rekey-ike-clean", "rekey-ike-both-at-once"),
    "collision_mixed": ("rekey-with-and-without-ml-kem-both-at-once-rekey-ike",),
    "collision_multi_ke": ("rekey-with-ml-kem-both-at-once-rekey-ike", "rekey-with-ml-kem-crossing-rekey-ike-*"),
    "collision_ke_invalid": ("rekey-ike-invalid-ke-both-at-once-clean",),
    "collision_ke_invalid_delayed_retry": ("rekey-ike-invalid-ke-both-at-once-late-retry-*",),
    "collision_delayed_response": ("cross-rekey-ike-rekey-ike-late-response",),
    "collision_dropped_request": ("cross-rekey-ike-rekey-ike-lost-request",),
    "collision_delayed_request": ("cross-rekey-ike-rekey-ike-late-request",),
    "collision_delayed_request_and_delete": ("cross-rekey-ike-rekey-ike-very-late-request",),
    "collision_delete": ("cross-rekey-ike-delete-ike-clean", "cross-delete-ike-rekey-ike-clean"),
    "collision_delete_drop_delete": ("cross-delete-ike-rekey-ike-lost-request",),
    "collision_delete_multi_ke": ("rekey-with-ml-kem-crossing-rekey-ike-delete-ike",),
}
CHILD_DELETE = {
    "regular": ("delete-child-east", "delete-child-west", "delete-under-loss-child"),
    "collision": ("cross-delete-child-delete-child-clean",),
    "collision_drop": ("cross-delete-child-delete-child-lost-*",),
    "collision_ike_rekey": ("cross-delete-child-rekey-ike-*", "cross-rekey-ike-delete-child-*"),
    "collision_ike_delete": ("cross-delete-child-delete-ike-*", "cross-delete-ike-delete-child-*"),
}
IKE_DELETE = {
    "regular": ("delete-ike-east", "delete-ike-west", "delete-under-loss-ike"),
    "collision": ("cross-delete-ike-delete-ike-*",),
}
CREATE = {
    "duplicate": ("set-up-on-demand-both-at-once", "set-up-both-at-once"),
    "multi_ke": ("set-up-with-ml-kem-*",),
    "collision_ike_rekey": ("cross-rekey-ike-delete-child-*", "rekey-with-ml-kem-crossing-rekey-ike-delete-child"),
    "childless": ("childless-clean", "childless-under-loss"),
}
SUITES = {
    "child_rekey": CHILD_REKEY,
    "ike_rekey": IKE_REKEY,
    "child_delete": CHILD_DELETE,
    "ike_delete": IKE_DELETE,
    "create": CREATE,
}
CASES = [(f"{suite}.{case}", ours) for suite, cases in SUITES.items() for case, ours in cases.items()]


def told(reference: str) -> list[str]:
    """The scenarios, or the tests of the engine, that a reference means."""
    file, colon, words = reference.partition(":")
    if not colon:
        return [name for name in TABLE if fnmatch(name, reference)]
    tests = (ENGINE / f"test_{file}.py").read_text().splitlines()
    return [line for line in tests if line.startswith("def test_") and words in line]


@pytest.mark.parametrize(("case", "ours"), CASES, ids=[case for case, _ in CASES])
def test_each_case_has_a_story_of_ours(case: str, ours: tuple[str, ...]) -> None:
    for reference in ours:
        assert told(reference), f"{case}: nothing of ours is named {reference}"


def test_each_crossing_is_told_both_ways_round_clean_and_with_a_message_lost_or_late() -> None:
    wishes = ("rekey-child", "rekey-ike", "delete-child", "delete-ike")
    for here in wishes:
        for there in wishes:
            for weather in ("clean", "late-request", "late-response", "lost-request", "lost-response"):
                assert f"cross-{here}-{there}-{weather}" in TABLE

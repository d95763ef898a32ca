from __future__ import annotations

from isthmus.network import clamp
from tests.network.namespace import Namespace, needs_root


@needs_root
def test_a_syn_through_a_tunnel_is_clamped_in_both_directions(host: Namespace) -> None:
    host.run(lambda: clamp.TABLE.replace(clamp.objects(["tunnel.2", "tunnel.1"])))
    rules = host.shell("nft list table inet isthmus")
    assert '"tunnel.1"' in rules
    assert '"tunnel.2"' in rules
    for direction in ("oifname", "iifname"):
        assert f"{direction} @tunnels tcp flags syn / syn,rst tcp option maxseg size set rt mtu" in rules


@needs_root
def test_replacing_leaves_one_table_with_the_new_interfaces_only(host: Namespace) -> None:
    host.run(lambda: clamp.TABLE.replace(clamp.objects(["tunnel.1"])))
    host.run(lambda: clamp.TABLE.replace(clamp.objects(["tunnel.2"])))
    rules = host.shell("nft list ruleset")
    assert rules.count("chain clamp") == 1
    assert "tunnel.1" not in rules


@needs_root
def test_removing_says_whether_there_was_anything(host: Namespace) -> None:
    host.run(lambda: clamp.TABLE.replace(clamp.objects(["tunnel.1"])))
    assert [host.run(clamp.TABLE.remove), host.run(clamp.TABLE.remove)] == [True, False]
    assert host.shell("nft list tables") == ""

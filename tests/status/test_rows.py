"""The promise of the design: these fields, no others, in this order."""

from __future__ import annotations

from dataclasses import fields

from isthmus.status.rows import IkeSaRow, IpsecSaRow, TunnelRow

IKE_SA = """gateway, version, role, state, local, remote, local_id, remote_id, initiator_spi, responder_spi, encryption,
    integrity, prf, dh_group, nat, established_at, rekey_in, reauth_in, children, vendors"""
IPSEC_SA = """tunnel, proxy_id, gateway, protocol, mode, encapsulation, state, spi_in, spi_out, encryption, integrity,
    dh_group, esn, local_ts, remote_ts, bytes_in, bytes_out, packets_in, packets_out, replay_window, replayed,
    integrity_failed, established_at, rekey_in, expires_in"""
TUNNEL = "tunnel, proxy_id, interface, gateway, state, reason, monitor, zone, virtual_router"


def _names(row: type[IkeSaRow | IpsecSaRow | TunnelRow]) -> str:
    return ", ".join(f.name for f in fields(row))


def test_rows_have_the_promised_fields() -> None:
    assert _names(IkeSaRow) == " ".join(IKE_SA.split())
    assert _names(IpsecSaRow) == " ".join(IPSEC_SA.split())
    assert _names(TunnelRow) == TUNNEL

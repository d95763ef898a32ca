"""`python telltale.py DIRECTORY VERB ...`: the real command, with every key that it uses written to the directory.

The tables are those that Wireshark reads. Only tests run this; the product has no such switch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from isthmus.cli.main import main
from isthmus.engine.ikev2.channel import Channel
from isthmus.engine.ikev2.keys import IkeKeys
from isthmus.engine.ledger import Ledger
from isthmus.model.algorithms import Encryption, Integrity
from isthmus.model.sa_spec import DataPlaneOp, Direction, InstallSa

_IKE_INTEGRITY = {
    "sha1": "HMAC_SHA1_96 [RFC2404]",
    "sha256": "HMAC_SHA2_256_128 [RFC4868]",
    "sha384": "HMAC_SHA2_384_192 [RFC4868]",
}
_ESP_INTEGRITY = {
    "sha1": "HMAC-SHA-1-96 [RFC2404]",
    "sha256": "HMAC-SHA-256-128 [RFC4868]",
    "sha384": "HMAC-SHA-384-192 [RFC4868]",
}


def tell_keys(tables: Path) -> None:
    """Listens where keys come into use."""
    protect, program = Channel.protect, Ledger.program

    def protect_and_tell(self: Channel, keys: IkeKeys) -> None:
        protect(self, keys)
        suite = self.sa.suite
        if suite is not None and suite.encryption is not None:
            _add(tables / "ikev2_decryption_table", _ike_line(self, keys, suite.encryption, suite.integrity))

    def program_and_tell(self: Ledger, op: DataPlaneOp, *rest: Any, **named: Any) -> None:
        if isinstance(op, InstallSa):
            _add(tables / "esp_sa", _esp_line(op))
        program(self, op, *rest, **named)

    Channel.protect = protect_and_tell  # type: ignore[method-assign]
    Ledger.program = program_and_tell  # type: ignore[method-assign]


def _ike_line(channel: Channel, keys: IkeKeys, encryption: Encryption, integrity: Integrity | None) -> str:
    if encryption.icv:
        cipher = f"AES-GCM-{encryption.key_bits} with {encryption.icv} octet ICV [RFC5282]"
    elif encryption.name == "3des":
        cipher = "3DES [RFC2451]"
    else:
        cipher = f"AES-CBC-{encryption.key_bits} [RFC3602]"
    return ",".join(
        (
            channel.sa.initiator_spi.hex(),
            channel.sa.responder_spi.hex(),
            keys.ei.reveal().hex(),
            keys.er.reveal().hex(),
            f'"{cipher}"',
            keys.ai.reveal().hex(),
            keys.ar.reveal().hex(),
            f'"{_IKE_INTEGRITY[integrity.name] if integrity else "NONE [RFC4306]"}"',
        )
    )


def _esp_line(op: InstallSa) -> str:
    spec = op.spec
    ends = (spec.local.address, spec.remote.address)
    source, destination = ends if spec.direction is Direction.OUTBOUND else ends[::-1]
    encryption, integrity = spec.encryption, spec.integrity
    if encryption is None:
        raise ValueError("ESP without encryption")
    if encryption.icv:
        cipher = f"AES-GCM with {encryption.icv} octet ICV [RFC4106]"
    else:
        cipher = "TripleDES-CBC [RFC2451]" if encryption.name == "3des" else "AES-CBC [RFC3602]"
    fields = (
        f"IPv{source.version}",
        source,
        destination,
        f"0x{spec.spi:08x}",
        cipher,
        f"0x{spec.encryption_key.reveal().hex()}",
        _ESP_INTEGRITY[integrity.name] if integrity else "NULL",
        f"0x{spec.integrity_key.reveal().hex()}" if integrity else "",
    )
    return ",".join(f'"{field}"' for field in fields)


def _add(table: Path, line: str) -> None:
    with table.open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    tell_keys(Path(sys.argv.pop(1)))
    main()

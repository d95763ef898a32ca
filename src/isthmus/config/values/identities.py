"""The names by which gateways know each other. RFC 7296, 3.5."""

from __future__ import annotations

import re

from cryptography import x509

from isthmus.config.problems import MALFORMED
from isthmus.config.values.kind import Context, Kind, fault, shortened
from isthmus.config.values.network import HostAddress
from isthmus.model.identity import Identity, IdType

_FQDN = re.compile(r"[!-~]{1,255}")
_USER_FQDN = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,190}")
MAX_IDENTITY = 1024


class IpIdentity(Kind):
    """ID_IPV4_ADDR or ID_IPV6_ADDR."""

    def read(self, text: str, context: Context) -> Identity:
        return Identity.of_address(HostAddress().read(text, context))

    def values(self) -> str:
        return "an IPv4 or IPv6 address"


class FqdnIdentity(Kind):
    """ID_FQDN. Any printable word is taken: peers use it for more than names of hosts."""

    def read(self, text: str, context: Context) -> Identity:
        if "@" in text and _USER_FQDN.fullmatch(text):
            raise fault(MALFORMED, f'"{shortened(text)}" is a user-fqdn', f"user-fqdn: {text}")
        if not _FQDN.fullmatch(text):
            raise fault(MALFORMED, f'"{shortened(text)}" is not a host name')
        return Identity.fqdn(text)

    def values(self) -> str:
        return "a host name: `hq.example`"

    def wanted(self) -> str:
        return "a host name"


class UserFqdnIdentity(Kind):
    """ID_RFC822_ADDR."""

    def read(self, text: str, context: Context) -> Identity:
        if not _USER_FQDN.fullmatch(text):
            raise fault(MALFORMED, f'"{shortened(text)}" is not of the form user@domain')
        return Identity.user_fqdn(text)

    def values(self) -> str:
        return "an e-mail address: `vpn@branch.example`"

    def wanted(self) -> str:
        return "an e-mail address"


class KeyIdIdentity(Kind):
    """ID_KEY_ID: octets that mean something to the two ends only."""

    def read(self, text: str, context: Context) -> Identity:
        if not text.startswith("0x"):
            octets = text.encode()
        else:
            try:
                octets = bytes.fromhex(text[2:])
            except ValueError:
                raise fault(MALFORMED, f'"{shortened(text)}" is not an even number of hexadecimal digits') from None
        if not 1 <= len(octets) <= MAX_IDENTITY:
            raise fault(MALFORMED, f"a key-id has 1 to {MAX_IDENTITY} octets")
        return Identity.key_id(octets)

    def values(self) -> str:
        return "text, or `0x` and hexadecimal digits"


class DnIdentity(Kind):
    """ID_DER_ASN1_DN, written as RFC 4514 has it: the most specific name first."""

    def read(self, text: str, context: Context) -> Identity:
        # Spaces after the commas are what people write; RFC 4514 has none.
        compact = re.sub(r"(?<!\\),\s+", ",", text.strip())
        try:
            name = x509.Name.from_rfc4514_string(compact) if 0 < len(compact) <= MAX_IDENTITY else None
        except (ValueError, TypeError, KeyError):
            name = None
        if name is None or not list(name):
            raise fault(MALFORMED, f'"{shortened(text)}" is not a distinguished name such as CN=hq,O=Example,C=CH')
        return Identity(IdType.DER_ASN1_DN, name.public_bytes())

    def values(self) -> str:
        return "a distinguished name as in RFC 4514: `CN=hq,O=Example,C=CH`"

    def wanted(self) -> str:
        return "a distinguished name"

"""Configuration. RFC 7296, 3.15."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.reader import Reader
from isthmus.wire.registry import ConfigurationAttribute, ConfigurationType, PayloadType

MAX_ATTRIBUTES = 255
"""Far above the addresses, servers and subnets that anyone hands out; the format itself sets no bound."""

_FIXED = Struct(">B3x")
_ATTRIBUTE = Struct(">HH")
_RESERVED_BIT = 0x8000


@dataclass(frozen=True, slots=True)
class Configuration(Payload):
    """What is asked of, or told by, the peer's network: addresses, name servers, subnets."""

    type: ClassVar = PayloadType.CP

    kind: ConfigurationType
    attributes: tuple[tuple[ConfigurationAttribute, bytes], ...] = ()

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        (kind,) = reader.unpack(_FIXED, "CFG type")
        attributes: list[tuple[ConfigurationAttribute, bytes]] = []
        while reader.remaining:
            if len(attributes) == MAX_ATTRIBUTES:
                raise WireError(f"more than {MAX_ATTRIBUTES} attributes", reader.offset, "attributes")
            number, length = reader.unpack(_ATTRIBUTE, "attribute")
            name = ConfigurationAttribute.of(number & ~_RESERVED_BIT)
            attributes.append((name, reader.take(length, "attribute value")))
        return cls(ConfigurationType.of(kind), tuple(attributes), critical=critical)

    def write(self) -> bytes:
        return _FIXED.pack(self.kind) + b"".join(
            _ATTRIBUTE.pack(kind & ~_RESERVED_BIT, len(value)) + value for kind, value in self.attributes
        )

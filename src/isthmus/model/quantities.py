"""Numbers that must not be mixed up: a swapped SPI or clock is a type error."""

from __future__ import annotations

from typing import NewType

Instant = NewType("Instant", float)
"""Monotonic seconds. Never runs backwards; equal instants may come in any order."""

Seconds = NewType("Seconds", float)
"""A span between two instants."""

MessageId = NewType("MessageId", int)
"""RFC 7296, 2.2: the number that ties a response to its request, per direction."""

IkeSpi = NewType("IkeSpi", bytes)
"""Eight octets that one end of an IKE SA chose; all zero means not chosen yet."""

InboundSpi = NewType("InboundSpi", int)
"""The SPI of an IPsec SA that we receive on: we chose it."""

OutboundSpi = NewType("OutboundSpi", int)
"""The SPI of an IPsec SA that we send on: the peer chose it."""

Ticket = NewType("Ticket", int)
"""Names an effect, so that its outcome can come back as a command."""

NO_SPI = IkeSpi(bytes(8))

"""Who may take our time before proving anything: cookies, and limits on half-open IKE SAs. RFC 7296, 2.6."""

from __future__ import annotations

from isthmus.crypto.compare import equal
from isthmus.crypto.digest import digest
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ledger import Ledger
from isthmus.model.address import Address, Datagram
from isthmus.model.quantities import Instant, Seconds

_SECRET_SIZE = 32
_SECRET_LIFE = Seconds(60.0)
_COOKIE_DIGEST = "sha256"

MAX_HALF_OPEN_PER_ADDRESS = 64
"""One host, proved by cookie to be there, cannot fill the table alone (RFC 8019, 4.4)."""

_IPV6_SITE = 64
"""Prefix length: whoever has one IPv6 address has all of its subnet's."""


class Admission:
    """Counts half-open IKE SAs, and asks for cookies: stateless, bound to nonce, SPI, address and a rotating secret."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._version = 0
        self._secrets: dict[int, bytes] = {}
        self._handed_out = False
        """Whether a cookie was made with the present secret."""
        self._half_open: dict[int, int] = {}
        """By host."""
        self._total = 0

    @property
    def half_open(self) -> int:
        return self._total

    def entered(self, remote: Address) -> None:
        self._total += 1
        host = _host(remote)
        self._half_open[host] = self._half_open.get(host, 0) + 1

    def left(self, remote: Address) -> None:
        self._total -= 1
        host = _host(remote)
        remaining = self._half_open.get(host, 1) - 1
        if remaining:
            self._half_open[host] = remaining
        else:
            self._half_open.pop(host, None)

    def crowded(self) -> bool:
        """Whether a cookie is due from everybody."""
        return self._total >= self._ledger.plan.settings.cookie_activation_threshold

    def full(self) -> bool:
        return self._total >= self._ledger.plan.settings.maximum_half_opened_sa

    def full_for(self, remote: Address) -> bool:
        return self._half_open.get(_host(remote), 0) >= MAX_HALF_OPEN_PER_ADDRESS

    def cookie(self, datagram: Datagram, spi: bytes, nonce: bytes) -> bytes:
        """RFC 7296, 2.6: <version of secret> | Hash(Ni | IPi | SPIi | <secret>)."""
        if self._version not in self._secrets:
            self._renew()
        self._handed_out = True
        return self._compute(self._version, datagram, spi, nonce)

    def proves(self, cookie: bytes, datagram: Datagram, spi: bytes, nonce: bytes) -> bool:
        """Whether we made this cookie for this initiator, with the present secret or the one before."""
        version = cookie[0] if cookie else -1
        return version in self._secrets and equal(cookie, self._compute(version, datagram, spi, nonce))

    def due(self, what: Deadline) -> None:
        """The secret is old: cookies made with it are taken for one more period. In quiet times there is none."""
        if what is Deadline.NEW_COOKIE_SECRET:
            if self._handed_out:
                self._renew()
            else:
                self._secrets.clear()

    def _renew(self) -> None:
        ledger = self._ledger
        previous = self._secrets.get(self._version)
        kept = {self._version: previous} if previous is not None else {}
        self._version = (self._version + 1) % 256
        self._handed_out = False
        self._secrets = {**kept, self._version: ledger.entropy.octets(_SECRET_SIZE)}
        ledger.agenda.set(self, Deadline.NEW_COOKIE_SECRET, Instant(ledger.now + _SECRET_LIFE))

    def _compute(self, version: int, datagram: Datagram, spi: bytes, nonce: bytes) -> bytes:
        bound = nonce + datagram.remote.address.packed + spi + self._secrets[version]
        return bytes([version]) + digest(_COOKIE_DIGEST, bound)


def _host(remote: Address) -> int:
    """What counts as one host: an IPv4 address, or an IPv6 subnet, numbered beyond all IPv4 addresses."""
    return int(remote) if remote.version == 4 else (int(remote) >> 128 - _IPV6_SITE) + (1 << 32)

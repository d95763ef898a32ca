//! One packet, sealed: ESP and AH, in tunnel and in transport mode. All but ESP in tunnel mode bring their IP header.

use std::net::IpAddr;

use crate::ah;
use crate::header::{self, Fresh, HOPS, Seam};
use crate::transform::{Keyed, Sequence, TRAILER};
use crate::trigger::Trigger;

/// What every packet of an SA needs to be sealed.
pub(crate) struct Draft<W, S> {
    pub(crate) spi: u32,
    /// Octets of the packet that `write` puts in its place.
    pub(crate) inner: usize,
    pub(crate) write: W,
    /// Asked only for a packet that can be sealed: numbers are not wasted.
    pub(crate) sequence: S,
}

impl<W: FnOnce(&mut [u8]), S: FnOnce() -> Result<Sequence, Trigger>> Draft<W, S> {
    /// ESP around the whole packet; the system writes the header before it. Returns the length, as they all do.
    pub(crate) fn esp_tunnel(self, keyed: &Keyed, next: u8, out: &mut [u8]) -> Result<usize, Trigger> {
        let layout = keyed.layout;
        let length = layout.sealed(self.inner);
        let out = out.get_mut(..length).ok_or(Trigger::TooBig)?;
        let sequence = (self.sequence)()?;
        (self.write)(&mut out[layout.payload()..layout.payload() + self.inner]);
        seal_esp(keyed, out, self.inner, self.spi, next, sequence)?;
        Ok(length)
    }

    /// ESP between the packet's own header and the rest (RFC 4303, 3.1.1).
    pub(crate) fn esp_transport(self, keyed: &Keyed, out: &mut [u8]) -> Result<usize, Trigger> {
        let Self { spi, inner, write, sequence } = self;
        let layout = keyed.layout;
        let seam = open_up(inner, write, layout.payload(), out)?;
        let payload = inner - seam.at;
        let length = seam.at + layout.sealed(payload);
        let out = out.get_mut(..length).ok_or(Trigger::TooBig)?;
        let sequence = sequence()?;
        let next = std::mem::replace(&mut out[seam.next_at], header::ESP);
        seal_esp(keyed, &mut out[seam.at..], payload, spi, next, sequence)?;
        header::settle(out);
        Ok(length)
    }

    /// AH between the packet's own header and the rest (RFC 4302, 3.1.1).
    pub(crate) fn ah_transport(
        self,
        keyed: &ah::Keyed,
        version: u8,
        out: &mut [u8],
    ) -> Result<usize, Trigger> {
        let Self { spi, inner, write, sequence } = self;
        let width = keyed.length(version);
        let seam = open_up(inner, write, width, out)?;
        let length = inner + width;
        let out = out.get_mut(..length).ok_or(Trigger::TooBig)?;
        let sequence = sequence()?;
        let next = std::mem::replace(&mut out[seam.next_at], header::AH);
        header::number(out, header::identification(sequence.number));
        header::settle(out);
        keyed.seal(out, seam.at, next, spi, sequence)?;
        Ok(length)
    }

    /// AH between a new header and the whole packet (RFC 4302, 3.1.2).
    pub(crate) fn ah_tunnel(
        self,
        keyed: &ah::Keyed,
        between: (IpAddr, IpAddr),
        next: u8,
        tos: u8,
        out: &mut [u8],
    ) -> Result<usize, Trigger> {
        let Self { spi, inner, write, sequence } = self;
        let at = header::length(between);
        let content = at + keyed.length(if between.0.is_ipv4() { 4 } else { 6 });
        let length = content + inner;
        let out = out.get_mut(..length).ok_or(Trigger::TooBig)?;
        let sequence = sequence()?;
        write(&mut out[content..]);
        let identification = header::identification(sequence.number);
        Fresh { between, next: header::AH, tos, hops: HOPS, identification }.write(out);
        keyed.seal(out, at, next, spi, sequence)?;
        Ok(length)
    }
}

/// Writes a packet so that `width` octets stay free at its seam.
fn open_up(
    inner: usize,
    write: impl FnOnce(&mut [u8]),
    width: usize,
    out: &mut [u8],
) -> Result<Seam, Trigger> {
    let place = width..width + inner;
    write(out.get_mut(place.clone()).ok_or(Trigger::TooBig)?);
    let seam = Seam::of(&out[place])?;
    out.copy_within(width..width + seam.at, 0);
    Ok(seam)
}

/// `packet` is whole, and its payload of `length` octets stands in its place already.
fn seal_esp(
    keyed: &Keyed,
    packet: &mut [u8],
    length: usize,
    spi: u32,
    next: u8,
    sequence: Sequence,
) -> Result<(), Trigger> {
    let layout = keyed.layout;
    packet[..4].copy_from_slice(&spi.to_be_bytes());
    packet[4..8].copy_from_slice(&sequence.low());
    let end = packet.len() - layout.icv;
    write_trailer(&mut packet[layout.payload() + length..end], next);
    keyed.transform.seal(packet, sequence).map_err(|_| Trigger::TooBig)
}

/// RFC 4303, 2.4: padding counts 1, 2, 3 and so on; its length and the next header end the payload.
fn write_trailer(trailer: &mut [u8], next_header: u8) {
    let padding = trailer.len() - TRAILER;
    for (octet, number) in trailer[..padding].iter_mut().zip(1..) {
        *octet = number;
    }
    trailer[padding] = padding as u8;
    trailer[padding + 1] = next_header;
}

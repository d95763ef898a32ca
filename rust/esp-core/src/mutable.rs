//! What the ICV of AH covers of the headers before it: fields that may change on the way count as zero
//! (RFC 4302, 3.3.3.1 and appendix A).

use crate::header::{Chain, IPV4, IPV6};
use crate::packet::{DESTINATION_OPTIONS, HOP_BY_HOP};

/// The headers are not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Takes what is covered, a piece at a time.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// Feeds the headers of a packet, up to `at`, where AH begins.
pub(crate) fn feed(packet: &[u8], at: usize, sink: Sink<'_>) -> Result<(), Malformed> {
    let headers = packet.get(..at).ok_or(Malformed)?;
    match headers.first().ok_or(Malformed)? >> 4 {
        4 => ipv4(headers, sink),
        6 => ipv6(headers, sink),
        _ => Err(Malformed),
    }
}

fn zeros(count: usize, sink: Sink<'_>) {
    const ZEROS: [u8; 256] = [0; 256];
    let mut left = count;
    while left > 0 {
        let some = left.min(ZEROS.len());
        sink(&ZEROS[..some]);
        left -= some;
    }
}

fn ipv4(header: &[u8], sink: Sink<'_>) -> Result<(), Malformed> {
    let (fixed, options) = header.split_at_checked(IPV4).ok_or(Malformed)?;
    // RFC 4302, 3.3.3.1.1.1: TOS, flags, fragment offset, TTL and checksum.
    let version = fixed[0];
    let [protocol, ..] = fixed[9..] else { return Err(Malformed) };
    sink(&[version, 0]);
    sink(&fixed[2..6]);
    sink(&[0, 0, 0, protocol, 0, 0]);
    sink(&fixed[12..]);
    ipv4_options(options, sink)
}

fn ipv4_options(mut options: &[u8], sink: Sink<'_>) -> Result<(), Malformed> {
    while let [kind, rest @ ..] = options {
        let length = match (kind, rest) {
            (0, _) => options.len(),
            (1, _) => 1,
            (_, [length, ..]) => usize::from(*length),
            _ => return Err(Malformed),
        };
        if length == 0 || (*kind > 1 && length < 2) {
            return Err(Malformed);
        }
        let (option, after) = options.split_at_checked(length).ok_or(Malformed)?;
        match kind {
            // RFC 4302, A1: end, no operation, the security options, router alert, multi-destination delivery.
            0 | 1 | 130 | 133 | 134 | 148 | 149 => sink(option),
            _ => zeros(length, sink),
        }
        options = after;
    }
    Ok(())
}

fn ipv6(headers: &[u8], sink: Sink<'_>) -> Result<(), Malformed> {
    let fixed = headers.get(..IPV6).ok_or(Malformed)?;
    // RFC 4302, 3.3.3.1.2.1: traffic class, flow label and hop limit.
    sink(&[fixed[0] & 0xf0, 0, 0, 0]);
    sink(&fixed[4..7]);
    sink(&[0]);
    sink(&fixed[8..]);
    let mut done = IPV6;
    for header in Chain::of(headers) {
        let octets = headers.get(header.at..header.end).ok_or(Malformed)?;
        match header.kind {
            HOP_BY_HOP | DESTINATION_OPTIONS => ipv6_options(octets, sink)?,
            // A routing header is as it will arrive: one that is not at its last stop is never protected.
            _ => sink(octets),
        }
        done = header.end;
    }
    if done == headers.len() { Ok(()) } else { Err(Malformed) }
}

fn ipv6_options(header: &[u8], sink: Sink<'_>) -> Result<(), Malformed> {
    let (front, mut options) = header.split_at_checked(2).ok_or(Malformed)?;
    sink(front);
    while let [kind, rest @ ..] = options {
        if *kind == 0 {
            sink(&[0]); // Pad1, an octet alone
            options = rest;
            continue;
        }
        let [length, data @ ..] = rest else { return Err(Malformed) };
        let (data, after) = data.split_at_checked(usize::from(*length)).ok_or(Malformed)?;
        sink(&[*kind, *length]);
        // RFC 8200, 4.2: the third bit says that the data may change on the way.
        if kind & 0x20 == 0 {
            sink(data)
        } else {
            zeros(data.len(), sink)
        }
        options = after;
    }
    Ok(())
}

//! The internet checksum (RFC 1071): sums in the machine's own order, so that they can be taken in wide strides.

/// The sum of octets as words of 16 bits; an odd one at the end is padded with zero.
pub(crate) fn sum(octets: &[u8]) -> u64 {
    // Four lanes of 32 bits at a time, which no datagram overflows in 64: the compiler makes vectors of this.
    let mut lanes = [0u64; 8];
    let mut strides = octets.chunks_exact(32);
    for stride in &mut strides {
        for (lane, four) in lanes.iter_mut().zip(stride.chunks_exact(4)) {
            *lane += u64::from(u32::from_ne_bytes([four[0], four[1], four[2], four[3]]));
        }
    }
    let mut total: u64 = lanes.iter().sum();
    let mut pairs = strides.remainder().chunks_exact(2);
    for pair in &mut pairs {
        total += u64::from(u16::from_ne_bytes([pair[0], pair[1]]));
    }
    if let [last] = pairs.remainder() {
        total += u64::from(u16::from_ne_bytes([*last, 0]));
    }
    total
}

/// A number as it would stand in a packet.
pub(crate) fn number(value: u32) -> u64 {
    u64::from(((value >> 16) as u16).to_be()) + u64::from((value as u16).to_be())
}

/// The sum as one word of 16 bits, in the order of the packet.
pub(crate) fn fold(mut total: u64) -> u16 {
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    u16::from_be(total as u16)
}

/// RFC 768: the addresses of an IP header, and the protocol; the length is added by the caller.
pub(crate) fn pseudo(header: &[u8], protocol: u8) -> u64 {
    let addresses = if header[0] >> 4 == 4 { &header[12..20] } else { &header[8..40] };
    sum(addresses) + number(u32::from(protocol))
}

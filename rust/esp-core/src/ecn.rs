//! Congestion marks across the tunnel (RFC 6040), and where they stand in an IP header.

pub const NOT_ECT: u8 = 0;
pub const ECT_1: u8 = 1;
pub const ECT_0: u8 = 2;
pub const CE: u8 = 3;

const ECN: u8 = 0b11;

/// The outer TOS or traffic class. RFC 6040, 4.1: normal mode copies ECN. RFC 4301, 5.1.2: DSCP only if asked.
pub const fn outer_tos(inner: u8, copy_dscp: bool) -> u8 {
    if copy_dscp { inner } else { inner & ECN }
}

/// RFC 6040, 4.2, figure 4: the inner field that leaves the tunnel; None: the packet must be dropped.
pub const fn decapsulated(inner: u8, outer: u8) -> Option<u8> {
    match (inner & ECN, outer & ECN) {
        (NOT_ECT, CE) => None,
        (NOT_ECT, _) => Some(NOT_ECT),
        (CE, _) | (_, CE) => Some(CE),
        (ECT_0, ECT_1) => Some(ECT_1),
        (inner, _) => Some(inner),
    }
}

/// Rewrites the ECN field of an IPv4 or IPv6 header that was checked before.
pub fn rewrite(packet: &mut [u8], ecn: u8) {
    match packet {
        [first, tos, _, _, _, _, _, _, _, _, high, low, ..] if *first >> 4 == 4 => {
            let before = u16::from_be_bytes([*first, *tos]);
            *tos = *tos & !ECN | ecn;
            let after = u16::from_be_bytes([*first, *tos]);
            let sum = updated_checksum(u16::from_be_bytes([*high, *low]), before, after);
            [*high, *low] = sum.to_be_bytes();
        }
        [first, second, ..] if *first >> 4 == 6 => *second = *second & !(ECN << 4) | ecn << 4,
        _ => {}
    }
}

/// RFC 1624, equation 3.
fn updated_checksum(sum: u16, before: u16, after: u16) -> u16 {
    let total = u32::from(!sum) + u32::from(!before) + u32::from(after);
    let folded = (total & 0xffff) + (total >> 16);
    !((folded & 0xffff) as u16).wrapping_add((folded >> 16) as u16)
}

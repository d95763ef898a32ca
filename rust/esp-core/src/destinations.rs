//! Address ranges that may overlap, and for each address those that hold it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Entries for each range, on average: those that overlap so much that there would be more are not worth an index.
const MOST: usize = 64;

#[derive(Debug)]
pub(crate) struct Destinations {
    /// Where the addresses begin that the same ranges hold, up to the next such place.
    starts: Vec<IpAddr>,
    /// For each of them, where its part of `held` ends.
    ends: Vec<usize>,
    held: Vec<u32>,
}

impl Destinations {
    /// Of ranges with their numbers, first and last addresses. None: they overlap too much.
    pub(crate) fn of(ranges: impl Iterator<Item = (u32, IpAddr, IpAddr)>) -> Option<Self> {
        // What begins and what ends at an address; each number with its ranges counted, for they too may overlap.
        let mut edges: BTreeMap<IpAddr, Vec<(u32, bool)>> = BTreeMap::new();
        let mut count = 0;
        for (number, start, end) in ranges.filter(|(_, start, end)| start <= end) {
            edges.entry(start).or_default().push((number, true));
            if let Some(beyond) = next(end) {
                edges.entry(beyond).or_default().push((number, false));
            }
            count += 1;
        }
        let mut made = Self { starts: Vec::new(), ends: Vec::new(), held: Vec::new() };
        let mut open: BTreeMap<u32, usize> = BTreeMap::new();
        for (address, edges) in edges {
            for (number, begins) in edges {
                let ranges = open.entry(number).or_default();
                // Those that begin here may stand behind those that end.
                *ranges = if begins { ranges.wrapping_add(1) } else { ranges.wrapping_sub(1) };
            }
            open.retain(|_, ranges| *ranges != 0);
            made.held.extend(open.keys());
            if made.held.len() > MOST * count {
                return None;
            }
            made.starts.push(address);
            made.ends.push(made.held.len());
        }
        Some(made)
    }

    /// The numbers of the ranges that hold an address, in their order.
    pub(crate) fn candidates(&self, address: IpAddr) -> &[u32] {
        let after = self.starts.partition_point(|start| *start <= address);
        let end = |at: usize| self.ends.get(at).copied().unwrap_or_default();
        match after.checked_sub(1) {
            None => &[],
            Some(at) => &self.held[at.checked_sub(1).map_or(0, end)..end(at)],
        }
    }
}

/// The address behind this one, in the order of `IpAddr`: all of IPv4 stand before IPv6.
fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some(Ipv6Addr::UNSPECIFIED.into()),
        IpAddr::V4(address) => Some(Ipv4Addr::from_bits(address.to_bits() + 1).into()),
        IpAddr::V6(address) => {
            address.to_bits().checked_add(1).map(|after| Ipv6Addr::from_bits(after).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// What trying one after the other finds.
    fn tried(ranges: &[(u32, IpAddr, IpAddr)], address: IpAddr) -> Vec<u32> {
        let mut found: Vec<u32> = ranges
            .iter()
            .filter(|(_, start, end)| *start <= address && address <= *end)
            .map(|(number, _, _)| *number)
            .collect();
        found.dedup();
        found
    }

    #[test]
    fn an_address_is_held_by_the_ranges_that_trying_each_would_find() {
        let mut ranges: Vec<(u32, IpAddr, IpAddr)> = Vec::new();
        for number in 0..200u32 {
            let (start, length) = (number * 7919 % 251, number * 31 % 17);
            let of = |last: u32| IpAddr::from([10, 0, 0, last.min(255) as u8]);
            ranges.push((number, of(start), of(start + length)));
            // Another of the same number, which overlaps it.
            ranges.push((number, of(start + length / 2), of(start + 2 * length)));
        }
        ranges.push((200, address("0.0.0.0"), address("255.255.255.255")));
        ranges.push((201, address("::"), address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
        ranges.push((202, address("fd00::5"), address("fd00::9")));
        ranges.push((203, address("10.0.0.9"), address("10.0.0.5"))); // empty
        let index = Destinations::of(ranges.iter().copied());
        let places = (0..=255).map(|last| IpAddr::from([10, 0, 0, last]));
        let others = ["9.9.9.9", "255.255.255.255", "::", "fd00::4", "fd00::5", "fd00::9", "fd00::a"];
        for place in places.chain(others.map(address)) {
            let found = index.as_ref().map(|index| index.candidates(place).to_vec());
            assert_eq!(found, Some(tried(&ranges, place)), "{place}");
        }
    }

    #[test]
    fn ranges_that_all_overlap_are_not_indexed() {
        let nested = |number: u32| (number, IpAddr::from(number.to_be_bytes()), address("255.255.255.255"));
        assert!(Destinations::of((0..1000).map(nested)).is_none());
        assert!(Destinations::of((0..100).map(nested)).is_some());
    }

    #[test]
    fn nothing_is_held_by_no_ranges() {
        let index = Destinations::of(std::iter::empty());
        assert_eq!(index.map(|index| index.candidates(address("10.0.0.1")).len()), Some(0));
    }
}

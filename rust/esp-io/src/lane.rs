//! Lanes: how the packets of a gateway are divided among workers.
//!
//! A lane carries whole tunnels: out, all of a tunnel interface; in, the encapsulated ESP of a peer, to whose socket the
//! kernel sorts it by its source. So flows keep their order, and sequence numbers too: a worker that lost the processor
//! between sealing and sending would bring its packets after more of another's than the replay windows of many peers
//! are wide. Raw ESP and AH have one socket each.

/// The most that any gateway has: each local address has a socket for each.
const MOST: usize = 8;

/// How many there are: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane(usize);

impl Lanes {
    /// As many as asked for, within bounds.
    pub fn new(wanted: usize) -> Self {
        Self(wanted.clamp(1, MOST))
    }

    pub(crate) fn count(self) -> usize {
        self.0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Lane> {
        (0..self.0).map(Lane)
    }

    /// Of a tunnel interface, by its token.
    pub(crate) fn of_device(self, token: u64) -> Lane {
        Lane((token % self.0 as u64) as usize)
    }
}

impl Lane {
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// What a poller calls a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Of a local address, by its place among them.
    Socket { local: u64, place: usize },
    /// Of a tunnel interface.
    Device(u64),
}

impl Token {
    /// The place of the socket that is IKE's.
    pub(crate) const IKE: usize = 0;

    const PLACE_BITS: u32 = 5;
    const PLACE: u64 = (1 << Self::PLACE_BITS) - 1;
    const DEVICE: u64 = 1 << Self::PLACE_BITS;

    pub(crate) fn number(self) -> u64 {
        let whole = |owner: u64, kind, place: usize| owner << (Self::PLACE_BITS + 1) | kind | place as u64;
        match self {
            Self::Socket { local, place } => whole(local, 0, place),
            Self::Device(device) => whole(device, Self::DEVICE, 0),
        }
    }

    pub(crate) fn of(number: u64) -> Self {
        let (owner, place) = (number >> (Self::PLACE_BITS + 1), (number & Self::PLACE) as usize);
        match number & Self::DEVICE {
            0 => Self::Socket { local: owner, place },
            _ => Self::Device(owner),
        }
    }

    /// Sockets before interfaces, and of them IKE's first.
    pub(crate) fn turn(number: u64) -> u64 {
        number & (Self::DEVICE | Self::PLACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_its_number_says() {
        for token in [
            Token::Socket { local: 1, place: 0 },
            Token::Socket { local: 7, place: 3 + MOST },
            Token::Device(1 << 40),
        ] {
            assert_eq!(Token::of(token.number()), token);
        }
    }

    #[test]
    fn ike_has_its_turn_first_and_interfaces_last() {
        let mut numbers = [
            Token::Device(1).number(),
            Token::Socket { local: 2, place: 4 }.number(),
            Token::Socket { local: 3, place: 0 }.number(),
        ];
        numbers.sort_by_key(|number| Token::turn(*number));
        assert_eq!(
            numbers.map(Token::of).map(|token| matches!(token, Token::Device(_))),
            [false, false, true]
        );
        assert_eq!(Token::of(numbers[0]), Token::Socket { local: 3, place: 0 });
    }

    #[test]
    fn there_is_always_a_lane_and_never_more_than_fit() {
        assert_eq!((Lanes::new(0).count(), Lanes::new(3).count(), Lanes::new(99).count()), (1, 3, MOST));
        assert!((0..100).all(|token| Lanes::new(3).of_device(token).index() < 3));
    }
}

//! The packet path: TUN devices on one side, UDP and raw ESP sockets on the other, and workers between them: one for
//! everything while there is little to do, else one for each direction of each lane.
//!
//! No worker holds a lock while it works on a batch: tables are snapshots, counters are atomics. What Python should hear
//! of goes through the [`Mailbox`], whose descriptor becomes readable.
//!
//! Outer header, by RFC 4301, 8.1 and RFC 6040: DF is clear (the tunnel interface's MTU keeps packets from growing too
//! large, and a path that shrinks fragments them rather than lose them), ECN is copied, DSCP on demand, TTL is the
//! system's own.

mod crew;
mod early;
mod egress;
mod event;
mod inbox;
mod ingress;
mod lane;
mod load;
mod local;
mod mailbox;
mod outbox;
mod plane;
mod poll;
mod shared;
mod sockaddr;
mod socket;
mod tun;
mod turn;
mod vigil;
mod watch;
mod worker;

pub use lane::Lanes;
pub use mailbox::{IkeDatagram, Mailbox};
pub use plane::{InstallInbound, InstallOutbound, Plane, Suite};

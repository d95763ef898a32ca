//! The packet path: TUN devices on one side, UDP and raw ESP sockets on the other, and a thread for each direction.
//!
//! Neither thread holds a lock while it works on a batch: tables are snapshots, counters are atomics. What Python
//! should hear of goes through the [`Mailbox`], whose descriptor becomes readable.
//!
//! Outer header, by RFC 4301, 8.1 and RFC 6040: DF is clear (the tunnel interface's MTU keeps packets from growing too
//! large, and a path that shrinks fragments them rather than lose them), ECN is copied, DSCP on demand, TTL is the
//! system's own.

mod early;
mod egress;
mod event;
mod inbox;
mod ingress;
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

pub use mailbox::{IkeDatagram, Mailbox};
pub use plane::{InstallInbound, InstallOutbound, Plane, Suite};

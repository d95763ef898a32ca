//! esp-core from outside, as esp-io uses it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ah;
mod ccm;
mod differential;
mod ecn;
mod inner;
mod limits;
mod offload;
mod selectors;
mod stage;
mod suites;
mod tables;
mod transport;
mod vectors;
mod window;
mod workers;

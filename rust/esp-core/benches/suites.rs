//! What sealing and opening one packet costs, for each suite and size: nanoseconds, everything that an SA does included.
//!
//! `cargo bench -p esp-core`; behind `--`: `--json` for a program to read, and the beginning of a suite's name.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use esp_core::{Arrival, InboundSa, Millis, OutboundSa, Outer, Summary};

#[allow(dead_code)]
#[path = "../tests/esp/stage.rs"]
mod stage;

use stage::{Ends, Knobs, Pair, ipv4, outer, suite, udp};

/// Octets of the inner packet.
const SIZES: [usize; 4] = [64, 576, 1420, 9000];

/// Packets in one run, as they follow each other on a busy tunnel.
const RUN: usize = 64;

/// The best run of so much time is told: others share the machine, and none of them makes it faster.
const PATIENCE: Duration = Duration::from_millis(60);

struct Row {
    name: String,
    size: usize,
    seal: f64,
    open: f64,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = words.iter().find(|word| !word.starts_with('-')).map_or("", |word| word);
    let rows: Vec<Row> = suites()
        .into_iter()
        .filter(|(name, _)| name.starts_with(wanted))
        .flat_map(|(name, knobs)| SIZES.map(|size| measured(&name, &knobs, size)))
        .collect();
    if words.iter().any(|word| word == "--json") { print_json(&rows) } else { print_table(&rows) }
}

fn suites() -> Vec<(String, Knobs)> {
    let esp = |encryption, integrity: Option<&'static str>| {
        let suite: Pair = suite(encryption, integrity);
        let name = integrity.map_or(encryption.to_owned(), |integrity| format!("{encryption}, {integrity}"));
        (name, Knobs { suite, ..Knobs::default() })
    };
    let bare = Outer { udp: false, ..outer() };
    vec![
        esp("aes-128-gcm", None),
        esp("aes-256-gcm", None),
        esp("chacha20-poly1305", None),
        esp("aes-128-gcm-8", None),
        esp("aes-128-ccm", None),
        esp("aes-128-cbc", Some("sha1")),
        esp("aes-128-cbc", Some("sha256")),
        esp("aes-256-cbc", Some("sha256")),
        esp("aes-256-cbc", Some("sha512")),
        esp("3des", Some("sha1")),
        esp("null", Some("sha256")),
        (
            "ah, sha256".to_owned(),
            Knobs { ah: suite("null", Some("sha256")).1, outer: bare, ..Knobs::default() },
        ),
    ]
}

fn measured(name: &str, knobs: &Knobs, size: usize) -> Row {
    let mut ends = Ends::new(&Knobs { window: 4096, ..knobs.clone() });
    let packet = ipv4(17, 0, &udp(size - 28));
    let summary = Summary::of(&packet).unwrap();
    // AH covers the outer header too.
    let headers = if knobs.ah.is_some() { 20 } else { 0 };
    let arrival = Arrival { remote: outer().remote, tos: 0, udp: knobs.outer.udp, headers };
    let mut space = vec![vec![0; size + 200]; RUN];
    let mut lengths = [0; RUN];
    let (mut seal, mut open) = (Duration::MAX, Duration::MAX);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        seal = seal.min(run(&mut space, &mut lengths, |to| sealed(&ends.outbound, &packet, &summary, to)));
        open = open.min(run(&mut space, &mut lengths.clone(), |from| {
            opened(&ends.inbound, from, lengths[0], &arrival)
        }));
    }
    ends.notices.clear();
    let each = |time: Duration| time.as_nanos() as f64 / RUN as f64;
    Row { name: name.to_owned(), size, seal: each(seal), open: each(open) }
}

fn run(
    space: &mut [Vec<u8>],
    lengths: &mut [usize; RUN],
    mut work: impl FnMut(&mut [u8]) -> usize,
) -> Duration {
    let began = Instant::now();
    for (packet, length) in space.iter_mut().zip(lengths) {
        *length = work(packet);
    }
    began.elapsed()
}

fn sealed(sa: &OutboundSa, packet: &[u8], summary: &Summary, to: &mut [u8]) -> usize {
    sa.encapsulate(black_box(packet), summary, to, &mut Vec::new()).unwrap().length
}

fn opened(sa: &InboundSa, packet: &mut [u8], length: usize, arrival: &Arrival) -> usize {
    black_box(sa.decapsulate(&mut packet[..length], arrival, &Millis(0), &mut Vec::new()).unwrap());
    length
}

fn print_table(rows: &[Row]) {
    println!("{:<24}{:>8}{:>10}{:>10}", "ns a packet", "octets", "seal", "open");
    for Row { name, size, seal, open } in rows {
        println!("{name:<24}{size:>8}{seal:>10.0}{open:>10.0}");
    }
}

fn print_json(rows: &[Row]) {
    let told: Vec<String> = rows
        .iter()
        .map(|Row { name, size, seal, open }| {
            format!(r#"{{"suite": "{name}", "octets": {size}, "seal_ns": {seal:.0}, "open_ns": {open:.0}}}"#)
        })
        .collect();
    println!("[{}]", told.join(",\n "));
}

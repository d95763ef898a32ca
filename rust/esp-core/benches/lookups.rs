//! What it costs to find the SA of a packet among so many: nanoseconds, outbound by policy and selectors, inbound by
//! SPI. `cargo bench -p esp-core --bench lookups`; behind `--`: `--json` for a program to read.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use esp_core::{Millis, Policy, Sad, Selectors, Spd, Summary};

#[allow(dead_code)]
#[path = "../tests/esp/stage.rs"]
mod stage;

use stage::{Ends, Knobs, Numbers, any, ipv4, range, udp};

const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
const LOOKS: usize = 4096;
const PATIENCE: Duration = Duration::from_millis(60);

fn main() {
    let rows = SIZES.map(|count| (count, outbound(count), inbound(count)));
    if std::env::args().any(|word| word == "--json") {
        let told = rows.map(|(count, outbound, inbound)| {
            format!(r#"{{"sas": {count}, "outbound_ns": {outbound:.0}, "inbound_ns": {inbound:.0}}}"#)
        });
        println!("[{}]", told.join(",\n "));
        return;
    }
    println!("{:>8}{:>10}{:>10}", "SAs", "outbound", "inbound");
    for (count, outbound, inbound) in rows {
        println!("{count:>8}{outbound:>10.0}{inbound:>10.0}");
    }
}

fn site(number: usize) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + number as u32 * 256).into()
}

fn sas(number: usize) -> Ends {
    let mut knobs = Knobs::default();
    knobs.outer.remote.set_ip(site(number));
    Ends::numbered(number as u32 + 256, &format!("site{number}"), &knobs)
}

fn outbound(count: usize) -> f64 {
    let spd = Spd::default();
    for number in 0..count {
        let IpAddr::V4(first) = site(number) else { continue };
        let last = Ipv4Addr::from_bits(first.to_bits() | 0xff);
        let remote = [range(&first.to_string(), &last.to_string())].into();
        let child: Arc<str> = format!("site{number}").into();
        let selectors = Selectors { local: any(), remote };
        let policy = Policy { child, interface: "tunnel.1".into(), order: number as u32, selectors };
        spd.install_policy(policy);
        spd.install(Arc::new(sas(number).outbound));
    }
    let mut packet = Summary::of(&ipv4(17, 0, &udp(8))).unwrap();
    let interface = spd.interface("tunnel.1");
    let (routes, mut numbers) = (interface.load(), Numbers(3));
    let destinations: Vec<_> = (0..LOOKS).map(|_| site(numbers.below(count as u64) as usize)).collect();
    best(|| {
        for destination in &destinations {
            packet.destination = *destination;
            black_box(routes.outbound(&packet, &Millis(0), &mut Vec::new()).unwrap());
        }
    })
}

fn inbound(count: usize) -> f64 {
    let sad = Sad::default();
    for number in 0..count {
        sad.install(Arc::new(sas(number).inbound));
    }
    let (table, mut numbers) = (sad.load(), Numbers(3));
    let spis: Vec<_> = (0..LOOKS).map(|_| numbers.below(count as u64) as u32 + 256).collect();
    best(|| {
        for spi in &spis {
            black_box(table.get(spi).unwrap());
        }
    })
}

/// The best of many runs, for one look.
fn best(mut looks: impl FnMut()) -> f64 {
    let (mut least, end) = (Duration::MAX, Instant::now() + PATIENCE);
    while Instant::now() < end {
        let began = Instant::now();
        looks();
        least = least.min(began.elapsed());
    }
    least.as_nanos() as f64 / LOOKS as f64
}

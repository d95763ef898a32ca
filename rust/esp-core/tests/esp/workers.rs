//! One SA, served by several workers at once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use esp_core::{Arrival, Millis, Summary, Trigger};

use crate::stage::{Ends, Knobs, Numbers, ipv4, outer, udp};

const WORKERS: usize = 4;

/// As many numbers as the window holds, so that no order of arrival makes one too old.
const ROUND: usize = 1024;
const ROUNDS: usize = 20;

fn shared() -> Ends {
    Ends::new(&Knobs { window: ROUND, esn: true, ..Knobs::default() })
}

fn sealed(ends: &Ends, packet: &[u8]) -> Vec<u8> {
    let mut out = vec![0; packet.len() + 100];
    let summary = Summary::of(packet).unwrap();
    let sealed = ends.outbound.encapsulate(packet, &summary, &mut out, &mut Vec::new()).unwrap();
    out.truncate(sealed.length);
    out
}

#[test]
fn workers_that_seal_never_take_the_same_sequence_number() {
    let (ends, packet) = (shared(), ipv4(17, 0, &udp(40)));
    let numbers: Vec<Vec<u32>> = thread::scope(|scope| {
        let worker = || {
            let numbers = (0..ROUND * ROUNDS / WORKERS).map(|_| {
                let packet = sealed(&ends, &packet);
                u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]])
            });
            numbers.collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    // Packets of a flow stay with one worker, and so in their order.
    assert!(numbers.iter().all(|of_one| of_one.is_sorted()));
    let all: HashSet<u32> = numbers.iter().flatten().copied().collect();
    assert_eq!(all.len(), ROUND * ROUNDS);
    assert_eq!(ends.outbound.counters().sequence, (ROUND * ROUNDS) as u64);
    assert_eq!(ends.outbound.counters().packets, (ROUND * ROUNDS) as u64);
}

#[test]
fn of_packets_that_come_to_every_worker_each_is_opened_once() {
    let (ends, packet) = (shared(), ipv4(17, 0, &udp(40)));
    let (opened, replayed) = (AtomicU64::new(0), AtomicU64::new(0));
    let arrival = Arrival { remote: outer().remote, tos: 0, udp: true, headers: 0 };
    for round in 0..ROUNDS {
        let packets: Vec<_> = (0..ROUND).map(|_| sealed(&ends, &packet)).collect();
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let mut mine = packets.clone();
                shuffle(&mut mine, &mut Numbers((round * WORKERS + worker + 1) as u64));
                let (ends, opened, replayed, arrival) = (&ends, &opened, &replayed, &arrival);
                scope.spawn(move || {
                    for mut packet in mine {
                        match ends.inbound.decapsulate(&mut packet, arrival, &Millis(0), &mut Vec::new()) {
                            Ok(_) => opened.fetch_add(1, Relaxed),
                            Err(trigger) => {
                                assert_eq!(trigger, Trigger::Replayed);
                                replayed.fetch_add(1, Relaxed)
                            }
                        };
                    }
                });
            }
        });
    }
    let sent = (ROUND * ROUNDS) as u64;
    assert_eq!((opened.into_inner(), replayed.into_inner()), (sent, sent * (WORKERS as u64 - 1)));
    let counters = ends.inbound.counters();
    assert_eq!((counters.packets, counters.replayed), (sent, sent * (WORKERS as u64 - 1)));
    assert_eq!(counters.sequence, sent);
}

fn shuffle<T>(things: &mut [T], numbers: &mut Numbers) {
    for at in (1..things.len()).rev() {
        things.swap(at, numbers.below(at as u64 + 1) as usize);
    }
}

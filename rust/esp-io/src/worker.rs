//! The loop of a worker: it waits, takes a batch from whatever is ready, and waits again.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use esp_core::Clock;

use crate::crew::Crew;
use crate::early::PATIENCE;
use crate::egress::Egress;
use crate::ingress::Ingress;
use crate::lane::{Lane, Token};
use crate::load::Load;
use crate::poll::{Poller, Ready};
use crate::shared::Shared;
use crate::vigil::{Deed, Vigil};
use crate::watch::Share;

/// What gave packets last.
#[derive(Clone, Copy, Default)]
struct Recent {
    device: Option<Token>,
    socket: Option<Token>,
}

pub(crate) struct Worker {
    shared: Arc<Shared>,
    share: Share,
    ingress: Ingress,
    egress: Egress,
    ready: Vec<Ready>,
    vigil: Vigil,
    load: Load,
    recent: Recent,
    last: Deed,
    /// The last round found something by looking, without asking for all.
    looked: bool,
    /// When there was last nothing to do.
    moment: Instant,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, share: Share) -> Self {
        let now = Instant::now();
        Self {
            share,
            ingress: Ingress::new(shared.clone()),
            egress: Egress::new(shared.clone()),
            ready: Vec::new(),
            vigil: Vigil::new(now),
            load: Load::new(now),
            recent: Recent::default(),
            last: Deed::Delivered,
            looked: false,
            moment: now,
            shared,
        }
    }

    /// The first worker: never at home, and alone while there is little to do.
    pub(crate) fn lead(&mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.load(SeqCst) {
            let alone = shared.crew.is_alone();
            let poller = if alone { shared.watch.whole() } else { shared.watch.share(self.share) };
            let Some(load) = self.round(poller) else { continue };
            if alone && Crew::is_needed(load) {
                // From here on most of that belongs to others.
                self.recent = Recent::default();
                shared.crew.call(shared.now());
            } else if !alone && shared.crew.is_over(load, shared.now()) {
                shared.watch.wake_all();
            }
        }
    }

    /// The others: at their share when they are called, at home otherwise.
    pub(crate) fn help(&mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.load(SeqCst) {
            let at_work = shared.crew.await_call(&shared.stopping);
            self.load = Load::new(Instant::now());
            self.recent = Recent::default();
            // What came before its SA is seen to the end.
            while !shared.stopping.load(SeqCst) && (shared.crew.is_spread() || self.ingress.holds()) {
                let load = self.round(shared.watch.share(self.share));
                if load.is_some_and(|load| shared.crew.is_over(load, shared.now())) {
                    shared.watch.wake_all();
                }
            }
            drop(at_work);
            shared.watch.share(Share::In(Lane::FIRST)).wake();
        }
    }

    /// Waits, and takes one batch from each descriptor that is ready. At the end of a span, tells how busy it was.
    fn round(&mut self, poller: &Poller) -> Option<u32> {
        let early = self.ingress.holds();
        // Whoever found something by looking asks for all the next time: nobody waits for longer than that.
        self.looked = self.look(!early && !self.looked);
        if self.looked {
            return None;
        }
        let load = self.load.percent(self.moment);
        poller.wait(&mut self.ready, early.then_some(PATIENCE));
        if early {
            self.ingress.open_early();
        }
        self.ready.sort_unstable_by_key(|ready| Token::turn(ready.token));
        for at in 0..self.ready.len() {
            let Ready { token, broken } = self.ready[at];
            self.serve(Token::of(token), broken);
        }
        load
    }

    /// Stays awake for a moment if it may, and looks where something came from last. The time is asked for only when there
    /// is nothing to do: it costs a packet alone more than opening it.
    fn look(&mut self, may: bool) -> bool {
        let last = self.last;
        let may = may && self.vigil.hopes(last);
        if may && self.serve_recent() {
            self.vigil.soon(last);
            return true;
        }
        self.moment = Instant::now();
        let patience = self.vigil.begin(last, self.moment);
        let (mut found, mut awake) = (false, Duration::ZERO);
        while may && !found && awake < patience {
            thread::yield_now();
            found = self.serve_recent();
            awake = self.moment.elapsed();
        }
        if found {
            self.vigil.soon(last);
        }
        self.vigil.spend(awake);
        self.load.idled(awake);
        found
    }

    /// An answer comes from the other side, so that is asked first.
    fn serve_recent(&mut self) -> bool {
        let Recent { device, socket } = self.recent;
        let order = if self.last == Deed::Sent { [socket, device] } else { [device, socket] };
        order.into_iter().flatten().any(|token| self.serve(token, false))
    }

    /// One batch, if there is any: returns whether there was.
    fn serve(&mut self, token: Token, broken: bool) -> bool {
        let (deed, found) = match token {
            Token::Socket { local, place } => {
                let local = self.shared.locals.load().by_token.get(&local).cloned();
                let deed = if place == Token::IKE { Deed::HandedUp } else { Deed::Delivered };
                (deed, local.is_some_and(|local| self.ingress.drain(&local, place)))
            }
            Token::Device(token) => {
                let device = self.shared.devices.load().by_token.get(&token).cloned();
                (Deed::Sent, device.is_some_and(|device| self.egress.drain(&device, broken)))
            }
        };
        if found {
            self.last = deed;
            match deed {
                Deed::Sent => self.recent.device = Some(token),
                Deed::Delivered => self.recent.socket = Some(token),
                Deed::HandedUp => {}
            }
        }
        found
    }
}

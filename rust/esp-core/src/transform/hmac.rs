//! Integrity by HMAC, cut short (RFC 2403, RFC 2404, RFC 4868).

use hmac::{EagerHash, Hmac, KeyInit, Mac};

use crate::suite::{Hash, Integrity};

/// The longest digest; an ICV is its first octets.
pub(super) const LONGEST: usize = 64;

/// A keyed hash over two pieces.
pub(super) trait Authenticator: Send + Sync {
    fn digest(&self, packet: &[u8], high: &[u8]) -> [u8; LONGEST];
}

pub(super) fn authenticator(row: &Integrity, key: &[u8]) -> Option<Box<dyn Authenticator>> {
    match row.hash {
        Hash::Md5 => boxed::<md5::Md5>(key),
        Hash::Sha1 => boxed::<sha1::Sha1>(key),
        Hash::Sha256 => boxed::<sha2::Sha256>(key),
        Hash::Sha384 => boxed::<sha2::Sha384>(key),
        Hash::Sha512 => boxed::<sha2::Sha512>(key),
    }
}

fn boxed<D>(key: &[u8]) -> Option<Box<dyn Authenticator>>
where
    D: EagerHash + 'static,
    Hmac<D>: KeyInit + Mac + Clone + Send + Sync,
{
    Some(Box::new(Keyed::<D>(<Hmac<D> as KeyInit>::new_from_slice(key).ok()?)))
}

/// The key is absorbed already: a copy of this state begins each packet.
struct Keyed<D: EagerHash>(Hmac<D>);

impl<D> Authenticator for Keyed<D>
where
    D: EagerHash,
    Hmac<D>: Mac + Clone + Send + Sync,
{
    fn digest(&self, packet: &[u8], high: &[u8]) -> [u8; LONGEST] {
        let mut state = self.0.clone();
        state.update(packet);
        state.update(high);
        let whole = state.finalize().into_bytes();
        let mut digest = [0; LONGEST];
        digest[..whole.len()].copy_from_slice(&whole);
        digest
    }
}

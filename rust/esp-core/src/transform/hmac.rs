//! Integrity by HMAC, cut short (RFC 2403, RFC 2404, RFC 4868).

use hmac::{EagerHash, Hmac, KeyInit, Mac};

use crate::suite::{Hash, Integrity};

/// The longest digest; an ICV is its first octets.
pub(crate) const LONGEST: usize = 64;

/// Gives a sink what is to be hashed, a piece at a time.
pub(crate) type Feed<'a> = &'a mut dyn FnMut(&mut dyn FnMut(&[u8]));

/// A keyed hash.
pub(crate) trait Authenticator: Send + Sync {
    fn digest(&self, packet: &[u8], high: &[u8]) -> [u8; LONGEST] {
        self.digest_of(&mut |sink| {
            sink(packet);
            sink(high);
        })
    }

    /// Over whatever `feed` gives to its sink.
    fn digest_of(&self, feed: Feed<'_>) -> [u8; LONGEST];
}

pub(crate) fn authenticator(row: &Integrity, key: &[u8]) -> Option<Box<dyn Authenticator>> {
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
    fn digest_of(&self, feed: Feed<'_>) -> [u8; LONGEST] {
        let mut state = self.0.clone();
        feed(&mut |piece| state.update(piece));
        let whole = state.finalize().into_bytes();
        let mut digest = [0; LONGEST];
        digest[..whole.len()].copy_from_slice(&whole);
        digest
    }
}

//! AES-CCM: packets that OpenSSL sealed, another implementation beside ours, and what is left of a forged packet.

use aes::{Aes128, Aes192, Aes256};
use ccm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
use ccm::{
    Ccm,
    consts::{U8, U11, U12, U16},
};
use esp_core::suite::{ENCRYPTION, Encryption, Family};
use esp_core::transform::{Forged, HEADER, KeyMaterial, Keyed, Sequence, keyed};

use crate::stage::{Numbers, hex};

const IV: usize = 8;
const BODY: usize = HEADER + IV;

fn keyed_with(row: &Encryption, key_and_salt: &[u8]) -> Keyed {
    let material = KeyMaterial {
        encryption: key_and_salt.to_vec().into(),
        integrity: Vec::new().into(),
        iv_seed: [0; 32].into(),
    };
    keyed(row, None, &material).unwrap()
}

fn rows() -> impl Iterator<Item = &'static Encryption> {
    ENCRYPTION.iter().filter(|row| row.family == Family::AesCcm)
}

/// SPI, sequence number, IV and payload, with room for the ICV.
fn unsealed(row: &Encryption, data: &[u8], iv: &[u8], payload: &[u8]) -> Vec<u8> {
    [&data[..4], &data[data.len() - 4..], iv, payload, &vec![0; row.icv]].concat()
}

fn data(spi: [u8; 4], sequence: Sequence) -> Vec<u8> {
    let number = sequence.number.to_be_bytes();
    [&spi[..], if sequence.extended { &number } else { &number[4..] }].concat()
}

#[test]
fn the_packets_that_openssl_sealed_are_sealed_alike_and_open() {
    let lines: Vec<&str> =
        include_str!("vectors/aes-ccm-esp.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), rows().count() * 2);
    for line in lines {
        let fields: Vec<Vec<u8>> = line.split_whitespace().map(hex).collect();
        let [key, salt, plaintext, data, ciphertext, icv] = fields.try_into().unwrap();
        let row = rows().find(|row| row.key == key.len() && row.icv == icv.len()).unwrap();
        let keyed = keyed_with(row, &[key, salt].concat());
        let number = data[4..].iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
        let sequence = Sequence { number, extended: data.len() == 12 };
        let mut packet = unsealed(row, &data, &[0; IV], &plaintext);
        keyed.transform.seal(&mut packet, sequence).unwrap();
        assert_eq!(packet[BODY..], [ciphertext, icv].concat(), "{}", row.name);
        keyed.transform.open(&mut packet, sequence).unwrap();
        assert_eq!(packet[BODY..packet.len() - row.icv], plaintext, "{}", row.name);
    }
}

/// Encrypts in place, by the library's CCM. Returns the ICV.
fn by_the_library(
    row: &Encryption,
    key_and_salt: &[u8],
    iv: &[u8],
    data: &[u8],
    payload: &mut [u8],
) -> Vec<u8> {
    fn with<A: AeadInOut + KeyInit>(key: &[u8], nonce: &[u8], data: &[u8], payload: &mut [u8]) -> Vec<u8> {
        let nonce = nonce.try_into().unwrap();
        let aead = A::new_from_slice(key).unwrap();
        aead.encrypt_inout_detached(&nonce, data, InOutBuf::from(payload)).unwrap().to_vec()
    }
    let (key, salt) = key_and_salt.split_at(row.key);
    let nonce = [salt, iv].concat();
    let with = match (row.key, row.icv) {
        (16, 8) => with::<Ccm<Aes128, U8, U11>>,
        (16, 12) => with::<Ccm<Aes128, U12, U11>>,
        (16, _) => with::<Ccm<Aes128, U16, U11>>,
        (24, 8) => with::<Ccm<Aes192, U8, U11>>,
        (24, 12) => with::<Ccm<Aes192, U12, U11>>,
        (24, _) => with::<Ccm<Aes192, U16, U11>>,
        (_, 8) => with::<Ccm<Aes256, U8, U11>>,
        (_, 12) => with::<Ccm<Aes256, U12, U11>>,
        (_, _) => with::<Ccm<Aes256, U16, U11>>,
    };
    with(key, &nonce, data, payload)
}

#[test]
fn every_length_is_what_the_library_makes_of_it() {
    let mut numbers = Numbers(11);
    for row in rows() {
        for extended in [false, true] {
            for length in (4..600).step_by(4).chain([1024, 1420, 1500, 9000, 65400]) {
                let mut octets = |count: usize| (0..count).map(|_| numbers.next() as u8).collect::<Vec<_>>();
                let (key_and_salt, payload) = (octets(row.key + row.salt), octets(length));
                let spi = octets(4).try_into().unwrap();
                let any_iv = octets(IV);
                let number = numbers.next() >> if extended { 0 } else { 32 };
                let sequence = Sequence { number, extended };
                let data = data(spi, sequence);
                let keyed = keyed_with(row, &key_and_salt);

                let mut expected = payload.clone();
                let icv = by_the_library(row, &key_and_salt, &number.to_be_bytes(), &data, &mut expected);
                expected.extend(icv);
                let mut packet = unsealed(row, &data, &[0; IV], &payload);
                keyed.transform.seal(&mut packet, sequence).unwrap();
                assert_eq!(packet[..HEADER], *[&data[..4], &data[data.len() - 4..]].concat());
                assert_eq!(packet[HEADER..BODY], number.to_be_bytes());
                assert_eq!(packet[BODY..], expected, "{} {length}", row.name);

                // A peer's IV is whatever it likes (RFC 4309, 3.1).
                let mut packet = unsealed(row, &data, &any_iv, &payload);
                let end = BODY + length;
                let icv = by_the_library(row, &key_and_salt, &any_iv, &data, &mut packet[BODY..end]);
                packet[end..].copy_from_slice(&icv);
                keyed.transform.open(&mut packet, sequence).unwrap();
                assert_eq!(packet[BODY..end], payload, "{} {length}", row.name);
            }
        }
    }
}

#[test]
fn a_packet_with_any_bit_changed_is_refused_and_nothing_of_it_is_left() {
    for row in rows() {
        for extended in [false, true] {
            for length in [4, 16, 36, 64] {
                let sequence = Sequence { number: 0x7_0000_0001 >> if extended { 0 } else { 32 }, extended };
                let keyed = keyed_with(row, &vec![0x5c; row.key + row.salt]);
                let mut sealed = unsealed(row, &data([1, 2, 3, 4], sequence), &[0; IV], &vec![0xab; length]);
                keyed.transform.seal(&mut sealed, sequence).unwrap();
                let end = BODY + length;
                let refused = |mut packet: Vec<u8>, sequence| {
                    assert_eq!(keyed.transform.open(&mut packet, sequence), Err(Forged), "{}", row.name);
                    assert!(packet[BODY..end].iter().all(|octet| *octet == 0), "{}", row.name);
                };
                // SPI, sequence number, IV, ciphertext and ICV.
                for bit in 0..sealed.len() * 8 {
                    let mut spoiled = sealed.clone();
                    spoiled[bit / 8] ^= 1 << (bit % 8);
                    refused(spoiled, sequence);
                }
                if extended {
                    for bit in 32..64 {
                        refused(sealed.clone(), Sequence { number: sequence.number ^ 1 << bit, extended });
                    }
                }
                // With and without a high half are other associated data.
                refused(sealed.clone(), Sequence { extended: !extended, ..sequence });
                keyed.transform.open(&mut sealed, sequence).unwrap();
            }
        }
    }
}

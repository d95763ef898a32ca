//! Packets that others published, opened here.

use crate::stage::{Ends, Knobs, SPI, everything, hex, ipv4, outer, udp};
use esp_core::suite::{Encryption, Integrity};
use esp_core::transform::{HEADER, KeyMaterial, Keyed, Sequence, keyed};
use esp_core::{InboundConfig, InboundSa, Limits, Millis, Mode, Opened, Trigger};

fn keyed_with(encryption: &str, key: &[u8]) -> Keyed {
    let material = KeyMaterial {
        encryption: key.to_vec().into(),
        integrity: Vec::new().into(),
        iv_seed: [0; 32].into(),
    };
    keyed(Encryption::named(encryption).unwrap(), None, &material).unwrap()
}

struct GcmCase {
    encryption: &'static str,
    key: Vec<u8>,
    plaintext: Vec<u8>,
    sequence: Sequence,
    /// SPI, sequence number, IV, ciphertext, ICV: as it stands on the wire.
    packet: Vec<u8>,
}

fn gcm_cases() -> Vec<GcmCase> {
    let lines = include_str!("vectors/aes-gcm-esp.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<Vec<u8>> = line.split_whitespace().map(hex).collect();
            let [key, nonce, plaintext, data, ciphertext, icv] = fields.try_into().unwrap();
            let (salt, iv) = nonce.split_at(4);
            let extended = data.len() == 12;
            let number = data[4..].iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
            let low = &data[data.len() - 4..];
            GcmCase {
                encryption: match key.len() {
                    16 => "aes-128-gcm",
                    24 => "aes-192-gcm",
                    _ => "aes-256-gcm",
                },
                key: [&key, salt].concat(),
                plaintext,
                sequence: Sequence { number, extended },
                packet: [&data[..4], low, iv, &ciphertext, &icv].concat(),
            }
        })
        .collect()
}

#[test]
fn the_published_aes_gcm_packets_open() {
    let cases = gcm_cases();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let keyed = keyed_with(case.encryption, &case.key);
        let mut packet = case.packet.clone();
        assert!(keyed.layout.fits(packet.len()));
        keyed.transform.open(&mut packet, case.sequence).unwrap();
        assert_eq!(packet[HEADER + 8..packet.len() - 16], case.plaintext);
    }
}

#[test]
fn a_short_icv_is_the_whole_one_cut() {
    for case in gcm_cases() {
        for icv in [12, 8] {
            let keyed = keyed_with(&format!("{}-{icv}", case.encryption), &case.key);
            let mut packet = case.packet[..case.packet.len() - 16 + icv].to_vec();
            keyed.transform.open(&mut packet, case.sequence).unwrap();
            assert_eq!(packet[HEADER + 8..packet.len() - icv], case.plaintext);
        }
    }
}

#[test]
fn the_high_half_of_the_sequence_number_is_authenticated() {
    for case in gcm_cases().into_iter().filter(|case| case.sequence.extended) {
        let keyed = keyed_with(case.encryption, &case.key);
        let wrong = Sequence { number: case.sequence.number ^ 1 << 40, extended: true };
        assert!(keyed.transform.open(&mut case.packet.clone(), wrong).is_err());
    }
}

fn open_whole(keyed: Keyed, packet: &[u8], spi: u32) -> Result<Vec<u8>, Trigger> {
    let config = InboundConfig {
        spi,
        child: "".into(),
        interface: "".into(),
        selectors: everything(),
        mode: Mode::Tunnel,
        esn: false,
        window: 64,
        limits: Limits::default(),
    };
    let mut buffer = packet.to_vec();
    let arrival = esp_core::Arrival { remote: outer().remote, tos: 0, udp: true, headers: 0 };
    match InboundSa::new(config, keyed, outer()).decapsulate(
        &mut buffer,
        &arrival,
        &Millis(0),
        &mut Vec::new(),
    )? {
        Opened::Packet(inner) => Ok(buffer[inner].to_vec()),
        Opened::Dummy => Ok(Vec::new()),
    }
}

/// RFC 7634, appendix A.
#[test]
fn the_chacha20_poly1305_packet_of_its_rfc_opens() {
    let key: Vec<u8> = (0x80..0xa0).chain(0xa0..0xa4).collect();
    let packet = hex("01020304 00000005 1011121314151617
         24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f7
         2aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0
         76aaa8266b7fb0f7b11b369907e1ad43");
    let inner = open_whole(keyed_with("chacha20-poly1305", &key), &packet, 0x0102_0304).unwrap();
    let start = "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f";
    assert_eq!(inner.len(), 84);
    assert_eq!(inner[..44], hex(start));
}

/// RFC 3602, 4, case 7: tunnel mode, without integrity.
#[test]
fn the_aes_cbc_packet_of_its_rfc_opens() {
    let packet = hex("00008765 00000002 f4e765244f6407adf13dc1380f673f37
         773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c6
         47752e94a859352b8a4d4d2decd136e5c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d");
    let keyed = keyed_with("aes-128-cbc", &hex("0123456789abcdef0123456789abcdef"));
    let inner = open_whole(keyed, &packet, 0x8765).unwrap();
    assert_eq!(inner.len(), 84);
    assert_eq!(inner[..28], hex("45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100"));
}

/// RFC 4231, 4.3 and RFC 2202, 2 and 3, case 2: "what do ya want for nothing?" under "Jefe", padded to the key's size.
#[test]
fn an_icv_is_the_first_half_of_the_hmac() {
    let whole = [
        ("md5", "750c783e6ab0b503eaa86e310a5db738"),
        ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "sha384",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            "sha512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd
             caeab1a34d4a6b4b636e070a38bce737",
        ),
    ];
    // The packet is the message: header, then what null encryption leaves as it is. A key padded with zeros is the same.
    for (name, digest) in whole {
        let row = Integrity::named(name).unwrap();
        let mut key = b"Jefe".to_vec();
        key.resize(row.key, 0);
        let material =
            KeyMaterial { encryption: Vec::new().into(), integrity: key.into(), iv_seed: [0; 32].into() };
        let keyed = keyed(Encryption::named("null").unwrap(), Some(row), &material).unwrap();
        let mut packet = b"what do ya want for nothing?".to_vec();
        packet.extend(&hex(digest)[..row.icv]);
        let sequence = Sequence { number: 0, extended: false };
        assert!(keyed.transform.open(&mut packet, sequence).is_ok(), "{name}");
        packet[3] ^= 1;
        assert!(keyed.transform.open(&mut packet, sequence).is_err(), "{name}");
    }
}

#[test]
fn a_sealed_packet_begins_with_spi_sequence_number_and_counter() {
    let mut ends = Ends::new(&Knobs::default());
    for number in 1..4u64 {
        let packet = ends.seal(&ipv4(17, 0, &udp(20))).unwrap();
        assert_eq!(packet[..4], SPI.to_be_bytes());
        assert_eq!(packet[4..8], (number as u32).to_be_bytes());
        assert_eq!(packet[8..16], number.to_be_bytes());
    }
}

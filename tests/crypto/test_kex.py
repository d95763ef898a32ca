"""Key exchange: what holds for every method, then each family by its RFC."""

from __future__ import annotations

import subprocess
import sys

import pytest

from isthmus.crypto.kex import InvalidPublicValue, answer, offer
from isthmus.crypto.modp_primes import prime
from isthmus.model.algorithms import KEY_EXCHANGE, KEY_EXCHANGE_BY_NAME, KeFamily, KeyExchangeMethod
from tests.crypto.entropy import fixed, seeded

every_method = pytest.mark.parametrize("method", KEY_EXCHANGE, ids=lambda row: row.name)


def of_family(family: KeFamily) -> pytest.MarkDecorator:
    rows = [row for row in KEY_EXCHANGE if row.family is family]
    return pytest.mark.parametrize("method", rows, ids=lambda row: row.name)


def refused(method: KeyExchangeMethod, peer: bytes) -> str:
    """Both sides must refuse the value; gives what was said."""
    share = offer(method, seeded(b"ours"))
    with pytest.raises(InvalidPublicValue) as as_requester:
        share.agree(peer)
    if method.family is not KeFamily.KEM:
        with pytest.raises(InvalidPublicValue) as as_replier:
            answer(method, seeded(b"ours"), peer)
        assert as_replier.value.why == as_requester.value.why
    assert method.name in str(as_requester.value)
    return as_requester.value.why


@every_method
def test_both_sides_agree(method: KeyExchangeMethod) -> None:
    ours = offer(method, seeded(b"requester"))
    assert len(ours.public) == method.public
    reply, theirs = answer(method, seeded(b"replier"), ours.public)
    assert len(reply) == method.reply
    assert ours.agree(reply) == theirs


@every_method
def test_the_same_entropy_makes_the_same_offer(method: KeyExchangeMethod) -> None:
    assert offer(method, seeded(b"one")).public == offer(method, seeded(b"one")).public
    assert offer(method, seeded(b"one")).public != offer(method, seeded(b"two")).public


@pytest.mark.parametrize(
    "method", [row for row in KEY_EXCHANGE if row.family is not KeFamily.KEM], ids=lambda row: row.name
)
def test_the_same_entropy_makes_the_same_answer(method: KeyExchangeMethod) -> None:
    peer = offer(method, seeded(b"peer")).public
    assert answer(method, seeded(b"one"), peer) == answer(method, seeded(b"one"), peer)


@every_method
@pytest.mark.parametrize("entropy", [b"\0" * 200, b"\xff" * 200], ids=["zeros", "ones"])
def test_extreme_entropy_still_makes_a_key(method: KeyExchangeMethod, entropy: bytes) -> None:
    share = offer(method, fixed(entropy))
    reply, secret = answer(method, seeded(b"replier"), share.public)
    assert share.agree(reply) == secret


@every_method
def test_a_value_of_another_length_is_refused(method: KeyExchangeMethod) -> None:
    right, _ = answer(method, seeded(b"peer"), offer(method, seeded(b"ours")).public)
    for wrong in (b"", right[:-1], right + b"\0", b"\0" + right):
        assert refused(method, wrong) == f"{len(wrong)} octets instead of {method.reply}"
    with pytest.raises(InvalidPublicValue, match="instead of"):
        answer(method, seeded(b"ours"), bytes(method.public + 1))


@of_family(KeFamily.MODP)
def test_modp_refuses_what_lies_outside_the_group(method: KeyExchangeMethod) -> None:
    # RFC 6989, 2.1
    p = prime(method.bits)
    for value in (0, 1, p - 1, p, p + 1, (1 << method.bits) - 1):
        assert refused(method, value.to_bytes(method.public)) == "not between 1 and p - 1"
    for value in (2, p - 2):
        assert len(offer(method, seeded(b"ours")).agree(value.to_bytes(method.public))) == method.public


# RFC 3526, 8: the larger estimate. The highest bit is always set.
EXPONENT_BITS = {768: 192, 1024: 192, 1536: 240, 2048: 320, 3072: 420, 4096: 480, 6144: 540, 8192: 620}


@of_family(KeFamily.MODP)
@pytest.mark.parametrize("octets", [bytes(80), bytes(range(80)), b"\xff" * 80], ids=["zeros", "mixed", "ones"])
def test_modp_raises_two_to_an_exponent_of_fixed_length(method: KeyExchangeMethod, octets: bytes) -> None:
    top = 1 << (EXPONENT_BITS[method.bits] - 1)
    exponent = top | int.from_bytes(octets) % top
    assert int.from_bytes(offer(method, fixed(octets)).public) == pow(2, exponent, prime(method.bits))


def test_a_modp_secret_is_as_long_as_the_prime_whatever_its_value() -> None:
    # RFC 7296, 2.14. A peer value that makes the secret 4: 4^(1/x), x being the only exponent of all-zero entropy.
    method = KEY_EXCHANGE_BY_NAME["group14"]
    p, x = prime(2048), 1 << 319
    peer = pow(4, pow(x, -1, (p - 1) // 2), p)
    assert offer(method, fixed(b"")).agree(peer.to_bytes(256)) == (4).to_bytes(256)


RFC_5903 = [
    (
        "group19",
        "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
        "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C37725811805271A0461CDB8252D61F1C456FA3E59A"
        "B1F45B33ACCF5F58389E0577B8990BB3",
        "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF6356FBF3CA366CC23E8157854C13C58D6A"
        "AC23F046ADA30F8353E74F33039872AB",
        "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE",
    ),
    (
        "group20",
        "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896783AB194",
        "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6DE3AC808ACB4BDB4C88732AEE95F41AA"
        "9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C634573A81C",
        "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0774A3571"
        "DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96DB9E6386C",
        "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A270F59746",
    ),
    (
        "group21",
        "0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A095AA85A30FE1C2952C6771D937BA9777"
        "F5957B2639BAB072462F68C27A57382D4A52",
        "0015417E84DBF28C0AD3C278713349DC7DF153C897A1891BD98BAB4357C9ECBEE1E3BF42E00B8E380AEAE57C2D107564"
        "941885942AF5A7F4601723C4195D176CED3E017CAE20B6641D2EEB695786D8C946146239D099E18E1D5A514C739D7CB4"
        "A10AD8A788015AC405D7799DC75E7B7D5B6CF2261A6A7F1507438BF01BEB6CA3926F9582",
        "00D0B3975AC4B799F5BEA16D5E13E9AF971D5E9B984C9F39728B5E5739735A219B97C356436ADC6E95BB0352F6BE64A6"
        "C2912D4EF2D0433CED2B6171640012D9460F015C68226383956E3BD066E797B623C27CE0EAC2F551A10C2C724D985207"
        "7B87220B6536C5C408A1D2AEBB8E86D678AE49CB57091F4732296579AB44FCD17F0FC56A",
        "01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04D1427E73CA4BAA240A34786859810C06"
        "B3C715A3A8CC3151F2BEE417996D19F3DDEA",
    ),
]


@pytest.mark.parametrize(("name", "scalar", "public", "peer", "shared"), RFC_5903, ids=lambda v: v[:7])
def test_ecp_gives_the_answers_of_rfc_5903(name: str, scalar: str, public: str, peer: str, shared: str) -> None:
    # The scalar is 1 + entropy mod (n - 1): the RFC's is reached by one less.
    entropy = (int(scalar, 16) - 1).to_bytes(len(scalar) // 2)
    share = offer(KEY_EXCHANGE_BY_NAME[name], fixed(entropy))
    assert share.public.hex().upper() == public
    assert share.agree(bytes.fromhex(peer)).hex().upper() == shared


@of_family(KeFamily.ECP)
def test_ecp_refuses_what_is_no_point(method: KeyExchangeMethod) -> None:
    # RFC 6989, 2.3
    size = method.public // 2
    right = offer(method, seeded(b"peer")).public
    x, y = right[:size], right[size:]
    field = {
        256: 2**256 - 2**224 + 2**192 + 2**96 - 1,
        384: 2**384 - 2**128 - 2**96 + 2**32 - 1,
        521: 2**521 - 1,
    }[method.bits]
    mirrored = x + (field - int.from_bytes(y)).to_bytes(size)
    assert len(offer(method, seeded(b"ours")).agree(mirrored)) == size
    for wrong in (
        bytes(method.public),
        y + x,
        right[:-1] + bytes((right[-1] ^ 1,)),
        x + bytes(size),
        field.to_bytes(size) + y,
        x + (field - int.from_bytes(y) + 1).to_bytes(size),
        b"\xff" * method.public,
    ):
        assert refused(method, wrong) == "not a point of the curve"


def test_ecp_refuses_a_coordinate_that_is_not_reduced() -> None:
    # On P-521 there is room for x + p in the same 66 octets: the same point, but not in its only form.
    method = KEY_EXCHANGE_BY_NAME["group21"]
    right = offer(method, seeded(b"peer")).public
    unreduced = (int.from_bytes(right[:66]) + 2**521 - 1).to_bytes(66) + right[66:]
    assert refused(method, unreduced) == "not a point of the curve"


RFC_7748 = [
    (
        "group31",
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    ),
    (
        "group32",
        "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d"
        "9ac2d8c0a598726b",
        "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53"
        "177f80e532c41fa0",
        "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae"
        "07bdc1c67bf33609",
        "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a"
        "449a5037514a879d",
    ),
]


@pytest.mark.parametrize(("name", "scalar", "public", "peer", "shared"), RFC_7748, ids=lambda v: v[:7])
def test_curves_give_the_answers_of_rfc_7748(name: str, scalar: str, public: str, peer: str, shared: str) -> None:
    share = offer(KEY_EXCHANGE_BY_NAME[name], fixed(bytes.fromhex(scalar)))
    assert share.public.hex() == public
    assert share.agree(bytes.fromhex(peer)).hex() == shared


P25519 = 2**255 - 19
P448 = 2**448 - 2**224 - 1
SMALL_ORDER = [
    *(("group31", u) for u in (0, 1, P25519 - 1, P25519, P25519 + 1)),
    ("group31", 0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0),
    ("group31", 0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F),
    ("group31", 1 << 255),  # RFC 7748, 5: the highest bit does not count
    *(("group32", u) for u in (0, 1, P448 - 1, P448, P448 + 1)),
]


@pytest.mark.parametrize(("name", "u"), SMALL_ORDER)
def test_curves_refuse_points_of_small_order(name: str, u: int) -> None:
    method = KEY_EXCHANGE_BY_NAME[name]
    assert refused(method, u.to_bytes(method.public, "little")) == "a point of small order"


@of_family(KeFamily.KEM)
def test_a_kem_refuses_a_key_whose_coefficients_are_not_reduced(method: KeyExchangeMethod) -> None:
    # FIPS 203, 7.2: the modulus check
    right = offer(method, seeded(b"peer")).public
    for wrong in (b"\xff" * method.public, b"\xff\xff" + right[2:]):
        with pytest.raises(InvalidPublicValue, match="not an encapsulation key"):
            answer(method, seeded(b"ours"), wrong)


@of_family(KeFamily.KEM)
def test_a_forged_ciphertext_gives_a_secret_that_nobody_shares(method: KeyExchangeMethod) -> None:
    share = offer(method, seeded(b"ours"))
    ciphertext, secret = answer(method, seeded(b"peer"), share.public)
    forged = bytes((ciphertext[0] ^ 1,)) + ciphertext[1:]
    assert share.agree(forged) != secret
    assert share.agree(forged) == share.agree(forged)


def test_no_warning_of_the_library_reaches_our_users() -> None:
    script = (
        "from isthmus.crypto.kex import offer, answer\n"
        "from isthmus.model.algorithms import KEY_EXCHANGE_BY_NAME as rows\n"
        "share = offer(rows['group14'], bytes)\n"
        "answer(rows['group14'], bytes, share.public)\n"
        "import isthmus.crypto.protection\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

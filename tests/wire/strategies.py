"""Hypothesis strategies for everything that may stand in an IKEv2 message."""

from __future__ import annotations

from hypothesis import strategies as st

from isthmus.model.identity import Identity, IdType
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.model.selectors import TrafficSelector
from isthmus.wire.ikev2.encrypted import MAX_FRAGMENTS
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.payloads import (
    READABLE,
    Authentication,
    Certificate,
    CertificateRequest,
    Configuration,
    Delete,
    Eap,
    Encrypted,
    EncryptedFragment,
    IdI,
    IdR,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    TsI,
    TsR,
    UnknownPayload,
    UnknownSelector,
    VendorId,
)
from isthmus.wire.registry import (
    AuthMethod,
    CertificateEncoding,
    ConfigurationAttribute,
    ConfigurationType,
    ExchangeType,
    KeMethod,
    NotifyType,
    PayloadType,
    TsType,
)

_SK = (PayloadType.SK, PayloadType.SKF)
_READ = {payload.type for payload in READABLE} | set(_SK) | {PayloadType.NONE}

u8 = st.integers(0, 255)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
octets = st.binary(max_size=40)
critical = st.booleans()

headers = st.builds(
    Header,
    st.binary(min_size=8, max_size=8).filter(any).map(IkeSpi),
    st.binary(min_size=8, max_size=8).map(IkeSpi),
    u8.map(ExchangeType),
    u32.map(MessageId),
    initiator=st.booleans(),
    response=st.booleans(),
    higher_version=st.booleans(),
    minor=st.integers(0, 15),
)

_value_attributes = st.tuples(
    st.integers(0x8000, 0xFFFF).filter(lambda name: name != 0x800E), st.binary(min_size=2, max_size=2)
)
_length_attributes = st.tuples(st.integers(0, 0x7FFF), st.binary(max_size=8))
transforms = st.builds(
    Transform,
    st.one_of(st.sampled_from(TransformType), u8.map(TransformType)),
    u16,
    st.none() | u16,
    st.lists(_value_attributes | _length_attributes, max_size=3).map(tuple),
)
proposals = st.builds(
    Proposal,
    u8.map(Protocol),
    st.lists(transforms, min_size=1, max_size=6).map(tuple),
    st.sampled_from((0, 4, 8)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    u8,
)


@st.composite
def selectors(draw: st.DrawFn) -> TrafficSelector:
    first, last = draw(
        st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)) | st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6))
    )
    start, end = (first, last) if int(first) <= int(last) else (last, first)
    start_port, end_port = draw(st.tuples(u16, u16).map(sorted) | st.just([65535, 0]))
    return TrafficSelector(start, end, draw(u8), start_port, end_port)


@st.composite
def _notifies(draw: st.DrawFn) -> Notify:
    notify = draw(st.sampled_from(NotifyType) | u16.map(NotifyType))
    sizes = {
        NotifyType.INVALID_KE_PAYLOAD: (2, 2),
        NotifyType.SET_WINDOW_SIZE: (4, 4),
        NotifyType.COOKIE: (1, 64),
        NotifyType.ADDITIONAL_IP4_ADDRESS: (4, 4),
        NotifyType.ADDITIONAL_IP6_ADDRESS: (16, 16),
        NotifyType.COOKIE2: (8, 64),
        NotifyType.AUTH_LIFETIME: (4, 4),
    }
    least, most = sizes.get(notify, (0, 40))
    protocol = draw(u8.map(Protocol))
    spi_size = draw(st.sampled_from((0, 4) if protocol in (Protocol.AH, Protocol.ESP) else (0, 4, 8)))
    return Notify(
        notify,
        draw(st.binary(min_size=least, max_size=most)),
        protocol,
        draw(st.binary(min_size=spi_size, max_size=spi_size)),
        critical=draw(critical),
    )


@st.composite
def _deletes(draw: st.DrawFn) -> Delete:
    protocol = draw(u8.map(Protocol))
    size = {Protocol.IKE: 0, Protocol.AH: 4, Protocol.ESP: 4}.get(protocol, 6)
    spis = draw(st.lists(st.binary(min_size=size, max_size=size), max_size=5)) if size else []
    return Delete(protocol, tuple(spis), critical=draw(critical))


_identities = st.builds(
    Identity, u8.filter(lambda kind: kind not in (IdType.IPV4_ADDR, IdType.IPV6_ADDR)).map(IdType), octets
) | st.ip_addresses().map(Identity.of_address)
_unknown_selectors = st.builds(
    UnknownSelector,
    u8.filter(lambda kind: kind not in (TsType.IPV4_ADDR_RANGE, TsType.IPV6_ADDR_RANGE)).map(TsType),
    u8,
    octets,
)
_eap = st.tuples(u8, u8, octets).map(lambda parts: bytes(parts[:2]) + (len(parts[2]) + 4).to_bytes(2, "big") + parts[2])
_selectors = st.lists(selectors(), min_size=1, max_size=4).map(tuple)
_others = st.lists(_unknown_selectors, max_size=2).map(tuple)

payloads: st.SearchStrategy[Payload] = st.one_of(
    st.builds(SecurityAssociation, st.lists(proposals, min_size=1, max_size=3).map(tuple), critical=critical),
    st.builds(KeyExchange, u16.map(KeMethod), octets, critical=critical),
    st.builds(IdI, _identities, critical=critical),
    st.builds(IdR, _identities, critical=critical),
    st.builds(Certificate, u8.map(CertificateEncoding), octets, critical=critical),
    st.builds(CertificateRequest, u8.map(CertificateEncoding), octets, critical=critical),
    st.builds(Authentication, u8.map(AuthMethod), octets, critical=critical),
    st.builds(Nonce, st.binary(min_size=16, max_size=256), critical=critical),
    _notifies(),
    _deletes(),
    st.builds(VendorId, octets, critical=critical),
    st.builds(TsI, _selectors, _others, critical=critical),
    st.builds(TsR, _selectors, _others, critical=critical),
    st.builds(
        Configuration,
        u8.map(ConfigurationType),
        st.lists(st.tuples(st.integers(0, 0x7FFF).map(ConfigurationAttribute), octets), max_size=4).map(tuple),
        critical=critical,
    ),
    st.builds(Eap, _eap, critical=critical),
    st.builds(UnknownPayload, u8.map(PayloadType).filter(lambda kind: kind not in _READ), octets, critical=critical),
)

_first = u8.map(PayloadType)
sealed: st.SearchStrategy[Payload] = st.one_of(
    st.builds(Encrypted, _first, octets, critical=critical),
    st.integers(1, MAX_FRAGMENTS).flatmap(
        lambda total: st.builds(
            EncryptedFragment, _first, st.integers(1, total), st.just(total), octets, critical=critical
        )
    ),
)

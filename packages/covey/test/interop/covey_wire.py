"""The protocol of Covey, version 2, written from docs/protocol.md with Python's standard library and msgpack alone.

Bytes only: frames, values, seals and the handshake by key. No sockets.
"""

import datetime
import hashlib
import hmac
import json
import os
import struct

import msgpack

HELLO, WELCOME, CALL, RESULT, ERROR, CANCEL, ITEM, END, CREDIT = range(1, 10)
PING, PONG, GO_AWAY, NOTIFY, SUBMIT, ACCEPTED, CHALLENGE, PROOF, SHAPE = range(10, 19)

NO_TIMEOUT = 0xFFFFFFFF
HAS_TRACE, HAS_METADATA, HAS_BAGGAGE = 1, 2, 4


class CoveyError(Exception):
    """An error of a call, or one that ended a connection."""

    def __init__(self, code, message, details=None):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.details = code, message, details

    def data(self):
        data = {"code": self.code, "message": self.message}
        return data if self.details is None else {**data, "details": self.details}

    @staticmethod
    def of(data):
        return CoveyError(data.get("code", "INTERNAL"), data.get("message", ""), data.get("details"))


# ---- values


class BigInt(int):
    """An integer that is a big integer at the other side too, however small it is."""


def encode(value):
    return msgpack.packb(value, default=_extension, datetime=True, strict_types=True)


def decode(body):
    return msgpack.unpackb(body, ext_hook=_extended, timestamp=3, strict_map_key=True)


def _extension(value):
    if isinstance(value, int):
        return msgpack.ExtType(1, str(int(value)).encode())
    if isinstance(value, (set, frozenset)):
        return msgpack.ExtType(3, encode(list(value)))
    if isinstance(value, MapValue):
        return msgpack.ExtType(2, encode([part for pair in value.items() for part in pair]))
    raise TypeError(f"{type(value).__name__} cannot be sent")


class MapValue(dict):
    """A map in the sense of JavaScript: any key."""

    __hash__ = None


def _extended(code, body):
    if code == 1:
        return BigInt(body.decode())
    if code == 2:
        parts = decode(body)
        return MapValue(zip(parts[::2], parts[1::2]))
    if code == 3:
        return frozenset(decode(body))
    raise CoveyError("PROTOCOL_ERROR", f"extension {code}")


# ---- frames


def frame(kind, flags, number, body=b"", seal=None):
    size = 6 + len(body) + (seal.size if seal else 0)
    plain = struct.pack(">IBBI", size, kind, flags, number) + body
    return plain + seal.make(plain) if seal else plain


class FrameReader:
    """Cuts bytes into frames. A frame is (type, flags, id, body)."""

    def __init__(self):
        self.buffer = b""
        self.seal = None

    def push(self, data):
        self.buffer += data

    def next(self):
        """The next whole frame, or None. One at a time: a frame may change how the one behind it is sealed."""
        if len(self.buffer) < 4:
            return None
        (size,) = struct.unpack(">I", self.buffer[:4])
        if size < 6 or size > 64 * 1024 * 1024:
            raise CoveyError("PROTOCOL_ERROR", f"a frame of {size} bytes")
        if len(self.buffer) < 4 + size:
            return None
        whole, self.buffer = self.buffer[: 4 + size], self.buffer[4 + size :]
        if self.seal is not None:
            whole = self.seal.check(whole)
        kind, flags, number = struct.unpack(">BBI", whole[4:10])
        return kind, flags, number, whole[10:]


def call_head(method, timeout_ms=NO_TIMEOUT, trace=None, metadata=None, baggage=None):
    """Flags and head of a call frame."""
    flags = 0
    head = struct.pack(">HI", method, timeout_ms)
    if trace is not None:
        flags |= HAS_TRACE
        head += trace
    for flag, entries in ((HAS_METADATA, metadata), (HAS_BAGGAGE, baggage)):
        if entries:
            flags |= flag
            head += _entries(entries)
    return flags, head


def read_call_head(flags, body):
    """Method, timeout, trace, metadata, baggage, and the input's bytes."""
    method, timeout_ms = struct.unpack(">HI", body[:6])
    at = 6
    trace = None
    if flags & HAS_TRACE:
        trace, at = body[at : at + 25], at + 25
    found = []
    for flag in (HAS_METADATA, HAS_BAGGAGE):
        entries = {}
        if flags & flag:
            (size,) = struct.unpack(">I", body[at : at + 4])
            entries = _read_entries(body[at + 4 : at + 4 + size])
            at += 4 + size
        found.append(entries)
    return method, timeout_ms, trace, found[0], found[1], body[at:]


def _entries(entries):
    body = b""
    for name, value in entries.items():
        name, value = name.encode(), value.encode()
        body += struct.pack(">B", len(name)) + name + struct.pack(">H", len(value)) + value
    return struct.pack(">I", len(body)) + body


def _read_entries(body):
    entries, at = {}, 0
    while at < len(body):
        size = body[at]
        name = body[at + 1 : at + 1 + size].decode()
        at += 1 + size
        (size,) = struct.unpack(">H", body[at : at + 2])
        entries[name] = body[at + 2 : at + 2 + size].decode()
        at += 2 + size
    return entries


# ---- seals


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ 0x82F63B78 if byte & 1 else byte >> 1
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


class Crc32cSeal:
    """Seals the frames of one direction."""

    size = 4

    def __init__(self):
        self.count = 0

    def _of(self, plain):
        return struct.pack(">I", crc32c(struct.pack(">Q", self.count) + plain))

    def make(self, plain):
        seal = self._of(plain)
        self.count += 1
        return seal

    def check(self, whole):
        plain, seal = whole[: -self.size], whole[-self.size :]
        if not hmac.compare_digest(seal, self._of(plain)):
            raise CoveyError("INTEGRITY_FAILED", f"frame {self.count} has a wrong seal")
        self.count += 1
        return plain


class HmacSeal(Crc32cSeal):
    size = 16

    def __init__(self, key):
        super().__init__()
        self.key = key

    def _of(self, plain):
        data = struct.pack(">Q", self.count) + plain
        return hmac.new(self.key, data, hashlib.sha256).digest()[: self.size]


# ---- handshake by key


def hkdf(secret, salt, info):
    """RFC 5869 with SHA-256 and 32 bytes of output: one block."""
    prk = hmac.new(salt, secret.encode(), hashlib.sha256).digest()
    return hmac.new(prk, info.encode() + b"\x01", hashlib.sha256).digest()


class KeyExchange:
    """What both sides compute from the secret and the two nonces."""

    def __init__(self, secret, client_nonce, server_nonce):
        self.secret, self.salt = secret, client_nonce + server_nonce
        self.server_nonce = server_nonce

    def _key(self, info):
        return hkdf(self.secret, self.salt, f"covey 2 {info}")

    def server_proof(self, hello, integrity):
        data = hello + self.server_nonce + integrity.encode()
        return hmac.new(self._key("server proof"), data, hashlib.sha256).hexdigest()

    def client_proof(self, hello, challenge):
        return hmac.new(self._key("client proof"), hello + challenge, hashlib.sha256).hexdigest()

    def client_seal(self):
        return HmacSeal(self._key("client frames"))

    def server_seal(self):
        return HmacSeal(self._key("server frames"))


def nonce():
    return os.urandom(32)


def to_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def utc(ms):
    return datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(milliseconds=ms)

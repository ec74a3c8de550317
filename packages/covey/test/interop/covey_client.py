"""A client of the protocol: one connection, a thread that reads, any number of calls at once."""

import hmac
import json
import queue
import socket
import struct
import threading

from covey_wire import *

WINDOW = 64 * 1024
WAIT_S = 10


class Call:
    """A call that has no answer yet: frames for it arrive in `frames`."""

    def __init__(self, number):
        self.number = number
        self.frames = queue.Queue()
        self.window = 0
        self.room = threading.Condition()
        self.ended = False


class Client:
    def __init__(self, port, key=None, integrity=None, credential=None, version=2, optional=None, codec="msgpack"):
        self.version = version
        self.codec = codec
        self.encode, self.decode = (to_json, json.loads) if codec == "json" else (encode, decode)
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = FrameReader()
        self.seal = None
        self.writing = threading.Lock()
        self.calls = {}
        self.last = 0
        self.lost = None
        self.going_away = False
        self.pongs = queue.Queue()
        self._shake_hands(key, integrity, credential, optional or {})
        self.socket.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    # ---- the connection

    def _shake_hands(self, key, integrity, credential, optional):
        hello = {**optional, "covey": 1, "codecs": [self.codec], "maxFrameBytes": 1 << 22, "streamWindowBytes": WINDOW}
        if self.version == 2:
            hello["newest"] = 2
        if integrity is not None:
            hello["integrity"] = integrity
        if credential is not None:
            hello["credential"] = credential
        client_nonce = nonce()
        if key is not None:
            hello["key"] = {"id": key[0], "nonce": client_nonce.hex()}
        body = to_json(hello)
        self.socket.sendall(frame(HELLO, 0, 0, body))
        kind, _, _, answer = self._wait()
        if key is not None:
            if kind == ERROR:
                raise CoveyError.of(json.loads(answer))
            if kind != CHALLENGE:
                raise CoveyError("UNAUTHENTICATED", "the server does not prove its key")
            challenge = json.loads(answer)
            exchange = KeyExchange(key[1], client_nonce, bytes.fromhex(challenge["nonce"]))
            expected = exchange.server_proof(body, challenge["integrity"])
            # While the key is being changed, the server may know ours as the one before.
            proofs = (challenge["proof"], challenge.get("previousProof") or "")
            if not any([hmac.compare_digest(proof, expected) for proof in proofs]):
                raise CoveyError("UNAUTHENTICATED", "the server's proof is wrong")
            proof = to_json({"proof": exchange.client_proof(body, answer)})
            self.socket.sendall(frame(PROOF, 0, 0, proof))
            if challenge["integrity"] == "hmac":
                self.seal, self.reader.seal = exchange.client_seal(), exchange.server_seal()
            kind, _, _, answer = self._wait()
        if kind == ERROR:
            raise CoveyError.of(json.loads(answer))
        if kind != WELCOME:
            raise CoveyError("PROTOCOL_ERROR", f"frame type {kind} in the handshake")
        self.welcome = json.loads(answer)
        self.methods = {path: number for number, path in enumerate(self.welcome["methods"])}
        if self.welcome.get("integrity") == "crc32c":
            self.seal, self.reader.seal = Crc32cSeal(), Crc32cSeal()

    def _wait(self):
        while (found := self.reader.next()) is None:
            data = self.socket.recv(65536)
            if not data:
                raise CoveyError("CONNECTION_LOST", "closed in the handshake")
            self.reader.push(data)
        return found

    def send(self, *frames):
        """Sends frames (type, flags, id, body) in one write."""
        with self.writing:
            data = b"".join(frame(*parts, seal=self.seal) for parts in frames)
            self.socket.sendall(data)

    def _read(self):
        try:
            while True:
                self._take(*self._wait())
        except CoveyError as error:
            self.lost = error
        except OSError as error:
            self.lost = CoveyError("CONNECTION_LOST", str(error))
        for call in list(self.calls.values()):
            call.frames.put((ERROR, 0, call.number, self.encode(self.lost.data())))
            with call.room:
                call.ended = True
                call.room.notify()

    def _take(self, kind, flags, number, body):
        if kind == PING:
            return self.send((PONG, 0, 0, b""))
        if kind == PONG:
            return self.pongs.put(True)
        if kind == GO_AWAY:
            self.going_away = True
            return
        if kind == ERROR and number == 0:
            raise CoveyError.of(json.loads(body))
        call = self.calls.get(number)
        if call is None:
            return
        if kind == CREDIT:
            with call.room:
                call.window += struct.unpack(">I", body)[0]
                call.room.notify()
            return
        if kind != ITEM:
            with call.room:
                call.ended = True
                call.room.notify()
        call.frames.put((kind, flags, number, body))

    def ping(self):
        self.send((PING, 0, 0, b""))
        self.pongs.get(timeout=WAIT_S)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    # ---- calls

    def open(self, path, value=None, kind=CALL, timeout_ms=5000, trace=None, metadata=None, baggage=None):
        """A new call and its frame, which is not sent yet."""
        if path not in self.methods:
            raise CoveyError("UNIMPLEMENTED", f"no method {path}")
        self.last += 1
        call = Call(self.last)
        call.window = self.welcome.get("streamWindowBytes", 0)
        self.calls[call.number] = call
        flags, head = call_head(self.methods[path], timeout_ms, trace, metadata, baggage)
        body = b"" if value is None else self.encode(value)
        return call, (kind, flags, call.number, head + body)

    def answer(self, call):
        """Waits for the one answer of a call."""
        kind, _, _, body = call.frames.get(timeout=WAIT_S)
        self.calls.pop(call.number, None)
        if kind == ERROR:
            raise CoveyError.of(self.decode(body))
        if kind not in (RESULT, ACCEPTED):
            raise CoveyError("PROTOCOL_ERROR", f"frame type {kind} as an answer")
        return self.decode(body) if body else None

    def call(self, path, value=None, **wishes):
        call, first = self.open(path, value, **wishes)
        self.send(first)
        return self.answer(call)

    def batch(self, entries):
        """Several calls in one write: name to (path, input); gives name to result or CoveyError."""
        opened = {name: self.open(path, value) for name, (path, value) in entries.items()}
        self.send(*(first for _, first in opened.values()))
        settled = {}
        for name, (call, _) in opened.items():
            try:
                settled[name] = self.answer(call)
            except CoveyError as error:
                settled[name] = error
        return settled

    def notify(self, path, value=None, **wishes):
        return self.call(path, value, kind=NOTIFY, **wishes)

    def submit(self, path, value=None, **wishes):
        return self.call(path, value, kind=SUBMIT, **wishes)

    def collect(self, tokens, wait_ms=5000):
        return self.call("covey.results.collect", {"tokens": tokens, "waitMs": wait_ms})

    def items(self, call):
        """The elements of a stream, with credit for what was taken."""
        taken = 0
        while True:
            kind, _, _, body = call.frames.get(timeout=WAIT_S)
            if kind == ERROR:
                self.calls.pop(call.number, None)
                raise CoveyError.of(self.decode(body))
            if kind == END:
                self.calls.pop(call.number, None)
                return
            taken += 10 + len(body)
            if taken >= WINDOW // 2:
                self.send((CREDIT, 0, call.number, struct.pack(">I", taken)))
                taken = 0
            yield self.decode(body)

    def stream(self, path, value=None, **wishes):
        call, first = self.open(path, value, timeout_ms=NO_TIMEOUT, **wishes)
        self.send(first)
        return call, self.items(call)

    def push(self, call, value):
        """Sends an element when the other side has room. False when it wants no more."""
        body = self.encode(value)
        with call.room:
            call.room.wait_for(lambda: call.window > 0 or call.ended, WAIT_S)
            if call.ended:
                return False
            call.window -= 10 + len(body)
        self.send((ITEM, 0, call.number, body))
        return True

    def end(self, call):
        self.send((END, 0, call.number, b""))

    def cancel(self, call, error=None):
        self.calls.pop(call.number, None)
        self.send((CANCEL, 0, call.number, self.encode(error.data()) if error else b""))

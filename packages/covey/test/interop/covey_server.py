"""A server of the protocol: a thread for each connection and one for each call.

usage: covey_server.py [--key <id>]; the secret comes from COVEY_SECRET. Prints its port.
"""

import argparse
import json
import os
import queue
import secrets
import socket
import struct
import threading
import time

from covey_wire import *

WINDOW = 64 * 1024
INSTANCE = "python-1"
CLOSED = object()
LATE = CoveyError("DEADLINE_EXCEEDED", "its time was used up")


class Call:
    """A call that runs."""

    def __init__(self, connection, number, head):
        self.connection, self.number = connection, number
        self.method, self.timeout_ms, self.trace, self.metadata, self.baggage, self.input = head
        self.incoming = queue.Queue()
        self.cancelled = threading.Event()
        self.error = None
        self.window = connection.peer_window
        self.room = threading.Condition()
        self.taken = 0

    @property
    def value(self):
        return decode(self.input) if self.input else None

    def items(self):
        """What the client streams."""
        while (body := self.incoming.get()) is not CLOSED:
            if self.cancelled.is_set():
                raise self.error
            yield decode(body)
            self.taken += 10 + len(body)
            if self.taken >= WINDOW // 2:
                self.connection.send((CREDIT, 0, self.number, struct.pack(">I", self.taken)))
                self.taken = 0
        if self.cancelled.is_set():
            raise self.error

    def push(self, value):
        body = encode(value)
        with self.room:
            self.room.wait_for(lambda: self.window > 0 or self.cancelled.is_set())
            if self.cancelled.is_set():
                raise self.error
            self.window -= 10 + len(body)
        self.connection.send((ITEM, 0, self.number, body))

    def cancel(self, error):
        self.error = error
        self.cancelled.set()
        self.incoming.put(CLOSED)
        with self.room:
            self.room.notify_all()


class Service:
    """The methods of the contract `interop`, as in interop-contract.ts."""

    def __init__(self):
        self.seen = {"cancelled": 0, "made": 0, "noted": 0, "reason": ""}
        self.results = {}
        self.gate = threading.Event()

    # name: (function, kind)
    def methods(self):
        return {
            "interop.echo": (lambda call: call.value, "unary"),
            "interop.fail": (self.fail, "unary"),
            "interop.describe": (self.describe, "unary"),
            "interop.hang": (self.hang, "unary"),
            "interop.seen": (lambda call: self.seen, "unary"),
            "interop.note": (self.note, "unary"),
            "interop.later": (self.later, "unary"),
            "interop.go": (lambda call: self.gate.set(), "unary"),
            "interop.count": (self.count, "out"),
            "interop.sum": (lambda call: sum(call.items()), "unary"),
            "interop.slow": (self.slow, "unary"),
            "interop.first": (lambda call: next(call.items()), "unary"),
            "interop.talk": (self.talk, "out"),
            "covey.results.collect": (self.collect, "unary"),
        }

    def fail(self, call):
        how = call.value.get("how")
        if how == "declared":
            raise CoveyError("GONE", "interop.fail: GONE", {"id": "7"})
        if how == "unknown":
            raise CoveyError("INTERNAL", "interop.fail failed")
        raise CoveyError("INVALID_INPUT", "interop.fail input: how: not known")

    def describe(self, call):
        trace = call.trace[:16].hex() if call.trace else ""
        return {
            "traceId": trace,
            "tag": call.metadata.get("tag", ""),
            "tenant": call.baggage.get("tenant", ""),
            "leftMs": -1 if call.timeout_ms == NO_TIMEOUT else call.timeout_ms,
        }

    def hang(self, call):
        call.cancelled.wait()
        self.seen["cancelled"] += 1
        raise call.error

    def note(self, call):
        if not isinstance(call.value.get("text"), str):
            raise CoveyError("INVALID_INPUT", "interop.note input: text: not a text")
        yield_to_caller(call)
        self.seen["noted"] += 1

    def later(self, call):
        yield_to_caller(call)
        time.sleep(0.05)
        return call.value["value"]

    def count(self, call):
        to, pad = call.value["to"], call.value["pad"]
        if to < 0:
            raise CoveyError("GONE", "interop.count: GONE", {"id": "count"})
        for n in range(1, to + 1):
            self.seen["made"] = n
            call.push({"n": n, "pad": "x" * pad})

    def slow(self, call):
        self.gate.wait()
        self.gate.clear()
        return sum(len(part) for part in call.items())

    def talk(self, call):
        for word in call.items():
            call.push(word.upper())
        call.push("BYE")

    def collect(self, call):
        until = time.monotonic() + call.value["waitMs"] / 1000
        states = []
        for token in call.value["tokens"]:
            kept = self.results.get(token)
            if kept is None:
                states.append({"state": "unknown"})
            elif kept[0].wait(max(0, until - time.monotonic())):
                states.append(kept[1])
            else:
                states.append({"state": "running"})
        return states


def yield_to_caller(call):
    """Accepted means begun: the caller hears of it now. Does nothing for a call that is waited for."""
    begun = getattr(call, "begun", None)
    if begun is not None:
        begun()


class Connection:
    def __init__(self, connected, service, key):
        self.socket, self.service, self.key = connected, service, key
        self.reader = FrameReader()
        self.seal = None
        self.writing = threading.Lock()
        self.calls = {}
        self.table = service.methods()
        self.paths = list(self.table)
        self.peer_window = 0

    def send(self, *frames):
        with self.writing:
            try:
                self.socket.sendall(b"".join(frame(*parts, seal=self.seal) for parts in frames))
            except OSError:
                pass

    def _wait(self):
        while (found := self.reader.next()) is None:
            data = self.socket.recv(65536)
            if not data:
                raise CoveyError("CONNECTION_LOST", "closed")
            self.reader.push(data)
        return found

    def run(self):
        try:
            self.shake_hands()
            while True:
                self.take(*self._wait())
        except CoveyError as error:
            if error.code != "CONNECTION_LOST":
                self.send((ERROR, 0, 0, to_json(error.data())))
        except OSError:
            pass
        for call in list(self.calls.values()):
            call.cancel(CoveyError("CANCELLED", "the connection of the caller is gone"))
        self.socket.close()

    def shake_hands(self):
        kind, _, _, body = self._wait()
        if kind != HELLO:
            raise CoveyError("PROTOCOL_ERROR", f"frame type {kind} before the handshake")
        hello = json.loads(body)
        version = min(2, hello.get("newest") or hello["covey"])
        self.peer_window = hello["streamWindowBytes"]
        if self.key is not None:
            self.prove(hello, body)
        if "msgpack" not in hello["codecs"]:
            raise CoveyError("PROTOCOL_ERROR", "no common codec")
        wanted = hello.get("instance")
        if wanted is not None and wanted != INSTANCE:
            raise CoveyError("UNAVAILABLE", f"this is {INSTANCE}")
        welcome = {
            "covey": version,
            "codec": "msgpack",
            "instance": INSTANCE,
            "maxFrameBytes": 1 << 22,
            "streamWindowBytes": WINDOW,
            "methods": self.paths,
            "compress": None,
            "integrity": None,
        }
        sealed = self.key is None and hello.get("integrity") == "crc32c"
        if sealed:
            welcome["integrity"] = "crc32c"
        self.send((WELCOME, 0, 0, to_json(welcome)))
        if sealed:
            self.seal, self.reader.seal = Crc32cSeal(), Crc32cSeal()

    def prove(self, hello, body):
        asked = hello.get("key")
        if asked is None or asked["id"] != self.key[0]:
            raise CoveyError("UNAUTHENTICATED", "a key is needed, and this is none of ours")
        own = nonce()
        exchange = KeyExchange(self.key[1], bytes.fromhex(asked["nonce"]), own)
        proof = exchange.server_proof(body, "hmac")
        challenge = to_json({"nonce": own.hex(), "integrity": "hmac", "proof": proof, "previousProof": None})
        self.send((CHALLENGE, 0, 0, challenge))
        kind, _, _, answer = self._wait()
        expected = exchange.client_proof(body, challenge)
        if kind != PROOF or not hmac.compare_digest(json.loads(answer)["proof"], expected):
            raise CoveyError("UNAUTHENTICATED", "the proof is wrong")
        self.seal, self.reader.seal = exchange.server_seal(), exchange.client_seal()

    def take(self, kind, flags, number, body):
        if kind == PING:
            return self.send((PONG, 0, 0, b""))
        if kind in (CALL, NOTIFY, SUBMIT):
            return self.begin(kind, flags, number, body)
        call = self.calls.get(number)
        if kind == ITEM and call:
            call.incoming.put(body)
        elif kind == END and call:
            call.incoming.put(CLOSED)
        elif kind == CREDIT and call:
            with call.room:
                call.window += struct.unpack(">I", body)[0]
                call.room.notify_all()
        elif kind == CANCEL and call:
            call.cancel(CoveyError.of(decode(body)) if body else CoveyError("CANCELLED", "cancelled"))
        elif kind not in (PONG, ITEM, END, CREDIT, CANCEL, SHAPE) and kind < 128:
            raise CoveyError("PROTOCOL_ERROR", f"frame type {kind}")

    def begin(self, kind, flags, number, body):
        if number == 0 or number in self.calls:
            raise CoveyError("PROTOCOL_ERROR", f"call number {number} is 0 or in use")
        call = Call(self, number, read_call_head(flags, body))
        self.calls[number] = call
        run, shape = self.table[self.paths[call.method]]
        work = self.serve if kind == CALL else self.accept
        threading.Thread(target=work, args=(call, kind, run, shape), daemon=True).start()

    def serve(self, call, _kind, run, shape):
        timer = None
        if call.timeout_ms != NO_TIMEOUT:
            timer = threading.Timer(call.timeout_ms / 1000, call.cancel, [LATE])
            timer.start()
        try:
            value = run(call)
            last = (END, b"") if shape == "out" else (RESULT, b"" if value is None else encode(value))
        except CoveyError as error:
            last = (ERROR, encode(error.data()))
        if timer is not None:
            timer.cancel()
        self.finish(call, *last)

    def accept(self, call, kind, run, _shape):
        """Answers when the handler has begun; what comes of it waits under a token."""
        token = f"{INSTANCE}~{secrets.token_urlsafe(24)}"
        done, state = threading.Event(), {}
        accepted = []

        def begun():
            accepted.append(True)
            self.service.results[token] = (done, state)
            self.finish(call, ACCEPTED, encode(token) if kind == SUBMIT else b"")

        call.begun = begun
        try:
            value = run(call)
            if not accepted:
                begun()
            state.update({"state": "done"} if value is None else {"state": "done", "value": value})
        except CoveyError as error:
            # A failure of the work itself is kept as well; only what is refused before is told at once.
            if not accepted and error.code == "INVALID_INPUT":
                return self.finish(call, ERROR, encode(error.data()))
            if not accepted:
                begun()
            state.update({"state": "failed", "error": error.data()})
        done.set()

    def finish(self, call, kind, body):
        if self.calls.pop(call.number, None) is not None:
            self.send((kind, 0, call.number, body))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--key")
    given = options.parse_args()
    key = (given.key, os.environ["COVEY_SECRET"]) if given.key else None
    service = Service()
    server = socket.create_server(("127.0.0.1", free_port()))
    print(server.getsockname()[1], flush=True)
    while True:
        connected, _ = server.accept()
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(connected, service, key)
        threading.Thread(target=connection.run, daemon=True).start()


def free_port():
    """Below the ports that the system gives to outgoing connections."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


main()

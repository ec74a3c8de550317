"""Speaks with a server of ours as a stranger would. Prints the name of each check that held.

usage: client_checks.py <port> [--key <id>] [--integrity crc32c] [--version 1]; the secret comes from COVEY_SECRET
"""

import argparse
import os
import struct
import sys
import threading
import time
import traceback

from covey_client import *

CHECKS = []


def check(run):
    CHECKS.append(run)
    return run


def fails(code, run):
    try:
        run()
    except CoveyError as error:
        assert error.code == code, f"{error} instead of {code}"
        return error
    raise AssertionError(f"no error; {code} was expected")


@check
def values_survive(client):
    value = {
        "n": 1,
        "f": 1.5,
        "neg": -7,
        "big": 2**40,
        "text": "ünï😀",
        "none": None,
        "list": [1, [True, False]],
        "bytes": b"\x00\xff",
        "at": utc(1767323045678),
        "huge": BigInt(2**80),
        "small": BigInt(5),
        "map": MapValue({"a": 1, 2: "b"}),
        "set": frozenset([1, "x"]),
    }
    assert client.call("interop.echo", value) == value


@check
def dates_before_1970_survive(client):
    for ms in (0, -1, -999, -1000, -1001, -62135596800000, 253402300799999):
        assert client.call("interop.echo", utc(ms)) == utc(ms), ms


@check
def timestamps_are_cut_to_milliseconds_that_had_passed(client):
    forms = {
        "d6ff" + "00000001": 1000,
        "d7ff" + struct.pack(">Q", 999_999_999 << 34 | 1).hex(): 1999,
        "c70cff" + struct.pack(">Iq", 999_999_999, -1).hex(): -1,
        "c70cff" + struct.pack(">Iq", 1, -2).hex(): -2000,
    }
    for packed, ms in forms.items():
        assert raw(client, bytes.fromhex(packed)) == utc(ms), packed
    for packed in (
        "d7ff" + struct.pack(">Q", 1_000_000_000 << 34).hex(),
        "c70cff" + struct.pack(">Iq", 1_000_000_000, 0).hex(),
        "c70cff" + struct.pack(">Iq", 0, 8_640_000_000_001).hex(),
    ):
        fails("INVALID_INPUT", lambda: raw(client, bytes.fromhex(packed)))


@check
def a_body_that_cannot_be_read_fails_its_call_alone(client):
    deep = b"\x91" * 65 + b"\x01"
    proto = b"\x81\xa9__proto__\x01"
    for body in (b"\xc1", b"\x91", b"\x01\x01", b"\xa1\xff", b"\x81\x01\x01", b"\xd4\x63\x00", deep, proto):
        fails("INVALID_INPUT", lambda: raw(client, body))
    # 62 arrays, then a set, whose array is a level of its own.
    fits = b"\x91" * 62 + b"\xc7\x02\x03\x91\x01"
    client.call("interop.seen")
    assert raw(client, fits) is not None
    fails("INVALID_INPUT", lambda: raw(client, b"\x91" + fits))
    # Of a key twice the last counts; integers beyond 2^53 - 1 are big ones.
    assert raw(client, b"\x82\xa1a\x01\xa1a\x02") == {"a": 2}
    assert isinstance(raw(client, b"\xcf" + struct.pack(">Q", 2**53)), BigInt)
    assert not isinstance(raw(client, b"\xcf" + struct.pack(">Q", 2**53 - 1)), BigInt)
    # A shape where the codec has none, and a method that is not there.
    fails("INVALID_INPUT", lambda: raw(client, b"\xc1\x00\x01"))
    call, (kind, flags, number, body) = client.open("interop.echo")
    client.send((kind, flags, number, b"\xff\xff" + body[2:]))
    fails("UNIMPLEMENTED", lambda: client.answer(call))
    call, (kind, flags, number, body) = client.open("interop.echo")
    client.send((kind, flags | HAS_METADATA, number, body))
    fails("INVALID_INPUT", lambda: client.answer(call))


def raw(client, body):
    """Calls echo with these bytes as its input."""
    call, (kind, flags, number, head) = client.open("interop.echo")
    client.send((kind, flags, number, head + body))
    return client.answer(call)


@check
def metadata_and_baggage_are_told_as_they_are(client):
    for text in ("\ufeffbom", "ünï😀", ""):
        told = client.call("interop.describe", metadata={"tag": text})
        assert told["tag"] == text, told


@check
def errors_have_codes(client):
    error = fails("INVALID_INPUT", lambda: client.call("interop.fail", {"how": 7}))
    assert "interop.fail input: how" in error.message, error.message
    error = fails("GONE", lambda: client.call("interop.fail", {"how": "declared"}))
    assert error.details == {"id": "7"}
    fails("INTERNAL", lambda: client.call("interop.fail", {"how": "unknown"}))


@check
def context_travels(client):
    trace = bytes(range(1, 17)) + bytes(range(17, 25)) + b"\x01"
    told = client.call("interop.describe", timeout_ms=3000, trace=trace, metadata={"tag": "blau"})
    assert told["traceId"] == bytes(range(1, 17)).hex(), told
    assert told["tag"] == "blau" and 0 < told["leftMs"] <= 3000, told


@check
def a_deadline_ends_a_call(client):
    fails("DEADLINE_EXCEEDED", lambda: client.call("interop.hang", timeout_ms=150))


@check
def cancel_reaches_the_handler(client):
    before = client.call("interop.seen")["cancelled"]
    call, first = client.open("interop.hang")
    client.send(first)
    client.call("interop.echo", 1)
    client.cancel(call)
    for _ in range(100):
        if client.call("interop.seen")["cancelled"] == before + 1:
            return
        time.sleep(0.02)
    raise AssertionError("the handler saw no cancellation")


@check
def many_calls_at_once_in_one_write(client):
    entries = {str(n): ("interop.echo", {"n": n}) for n in range(200)}
    entries["bad"] = ("interop.fail", {"how": "declared"})
    settled = client.batch(entries)
    assert settled.pop("bad").code == "GONE"
    assert settled == {str(n): {"n": n} for n in range(200)}
    assert client.batch({}) == {}


@check
def a_server_stream_obeys_credit(client):
    _, numbers = client.stream("interop.count", {"to": 3000, "pad": 100})
    assert [item["n"] for item in numbers] == list(range(1, 3001))
    call, numbers = client.stream("interop.count", {"to": 1_000_000, "pad": 1000})
    assert next(numbers)["n"] == 1
    time.sleep(0.1)
    made = client.call("interop.seen")["made"]
    assert made < 1000, f"{made} elements were made ahead of the reader"
    client.cancel(call)


@check
def a_stream_ends_with_its_error(client):
    _, numbers = client.stream("interop.count", {"to": -1, "pad": 0})
    assert fails("GONE", lambda: list(numbers)).details == {"id": "count"}


@check
def ping_is_answered(client):
    client.ping()


@check
def frames_of_types_that_may_be_ignored_are(client):
    client.send((200, 0, 0, b"whatever"))
    assert client.call("interop.echo", "still here") == "still here"


NEW = []


def new(run):
    """A check of what version 1 did not have."""
    NEW.append(run)
    return run


@new
def baggage_travels(client):
    told = client.call("interop.describe", baggage={"tenant": "blau"})
    assert told["tenant"] == "blau", told


@new
def a_client_stream_is_added_up(client):
    call, first = client.open("interop.sum")
    client.send(first)
    for n in range(1, 5001):
        assert client.push(call, n)
    client.end(call)
    assert client.answer(call) == 12_502_500


@new
def a_client_stream_is_held_back_by_its_reader(client):
    call, first = client.open("interop.slow")
    client.send(first)
    sent = []
    pusher = threading.Thread(target=lambda: [sent.append(n) for n in range(40) if client.push(call, b"x" * 65536)])
    pusher.start()
    time.sleep(0.2)
    ahead = len(sent)
    assert ahead < 30, f"{ahead} elements went out without credit"
    client.call("interop.go")
    pusher.join(WAIT_S)
    client.end(call)
    assert client.answer(call) == 40 * 65536


@new
def an_early_answer_ends_a_client_stream(client):
    call, first = client.open("interop.first")
    client.send(first)
    client.push(call, "a")
    assert client.answer(call) == "a"
    client.send((ITEM, 0, call.number, encode("late")), (END, 0, call.number, b""))
    assert client.call("interop.echo", 1) == 1


@new
def a_client_that_gives_up_tells_why(client):
    call, first = client.open("interop.sum")
    client.send(first)
    client.push(call, 1)
    client.cancel(call, CoveyError("NOT_FOUND", "the file went away"))
    for _ in range(100):
        if "the file went away" in client.call("interop.seen")["reason"]:
            return
        time.sleep(0.02)
    raise AssertionError("the handler was not told why")


@new
def elements_are_checked(client):
    call, first = client.open("interop.sum")
    client.send(first)
    client.push(call, "no number")
    error = fails("INVALID_INPUT", lambda: client.answer(call))
    assert "interop.sum" in error.message, error.message


@new
def duplex_goes_both_ways(client):
    call, first = client.open("interop.talk")
    client.send(first)
    answers = client.items(call)
    for word in ("one", "two", "three"):
        client.push(call, word)
        assert next(answers) == word.upper()
    client.end(call)
    assert list(answers) == ["BYE"]


@new
def notify_is_accepted_and_runs(client):
    before = client.call("interop.seen")["noted"]
    assert client.notify("interop.note", {"text": "x"}) is None
    for _ in range(100):
        if client.call("interop.seen")["noted"] == before + 1:
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the work was not done")
    fails("INVALID_INPUT", lambda: client.notify("interop.note", {"text": 7}))


@new
def submitted_work_is_collected_by_token(client):
    token = client.submit("interop.later", {"value": 7})
    failing = client.submit("interop.fail", {"how": "declared"})
    assert "~" in token
    done, failed, unknown = client.collect([token, failing, token[:-2] + "zz"])
    assert done == {"state": "done", "value": 7}, done
    assert failed["state"] == "failed" and failed["error"]["code"] == "GONE", failed
    assert unknown["state"] == "unknown", unknown


@new
def work_outlives_its_connection(client, connect):
    other = connect()
    token = other.submit("interop.later", {"value": 8})
    other.close()
    assert client.collect([token])[0] == {"state": "done", "value": 8}


@check
def a_call_number_in_use_ends_the_connection(client, connect):
    other = connect()
    call, first = other.open("interop.hang")
    other.send(first, first)
    error = fails("PROTOCOL_ERROR", lambda: other.answer(call))
    assert "in use" in error.message, error.message


@check
def an_unknown_frame_type_ends_the_connection(client, connect):
    other = connect()
    call, first = other.open("interop.hang")
    other.send(first, (99, 0, 0, b""))
    fails("PROTOCOL_ERROR", lambda: other.answer(call))


SEALED = []


def sealed(run):
    SEALED.append(run)
    return run


@sealed
def a_forged_frame_ends_the_connection(client, connect):
    for forge in (flip, repeat, leave_out):
        other = connect()
        call, first = other.open("interop.hang")
        other.send(first)
        forge(other)
        fails("INTEGRITY_FAILED", lambda: other.answer(call))


def flip(client):
    data = bytearray(frame(PING, 0, 0, b"", seal=client.seal))
    data[4] ^= 1
    client.socket.sendall(data)


def repeat(client):
    data = frame(PONG, 0, 0, b"", seal=client.seal)
    client.socket.sendall(data + data)


def leave_out(client):
    frame(PONG, 0, 0, b"", seal=client.seal)
    client.socket.sendall(frame(PONG, 0, 0, b"", seal=client.seal))


def null_is_as_good_as_missing(given, key):
    names = ["instance", "credential", "compress"]
    names += [] if given.integrity else ["integrity"]
    names += [] if key else ["key"]
    names += ["newest"] if given.version == 1 else []
    optional = {name: None for name in names}
    client = Client(given.port, key=key, integrity=given.integrity, version=given.version, optional=optional)
    assert client.welcome["covey"] == given.version
    client.close()


def json_is_spoken(given, key):
    client = Client(given.port, key=key, integrity=given.integrity, version=given.version, codec="json")
    assert client.welcome["codec"] == "json", client.welcome
    value = {"n": 1.5, "text": "\u00fcn\u00ef\U0001f600", "none": None, "list": [True, {"a": []}]}
    assert client.call("interop.echo", value) == value
    assert client.call("interop.echo", [2**53, -0.0]) == [2**53, 0]
    assert fails("GONE", lambda: client.call("interop.fail", {"how": "declared"})).details == {"id": "7"}
    deep = "[" * 65 + "]" * 65
    for body in (deep, '{"__proto__":1}', "{", '"\\'):
        fails("INVALID_INPUT", lambda: raw(client, body.encode()))
    assert raw(client, ("[" * 64 + "]" * 64).encode()) is not None
    _, numbers = client.stream("interop.count", {"to": 3, "pad": 0})
    assert [item["n"] for item in numbers] == [1, 2, 3]
    if given.version > 1:
        assert client.collect([client.submit("interop.later", {"value": 7})])[0] == {"state": "done", "value": 7}
    # A client of MessagePack has what JSON has no form for.
    other = Client(given.port, key=key, integrity=given.integrity, version=given.version)
    if given.version > 1:
        odd = {"at": utc(1), "bytes": b"\x00\xff", "big": BigInt(2**80), "set": frozenset([1]), "nan": float("nan")}
        odd["map"] = MapValue({2: "b"})
        token = other.submit("interop.echo", odd)
        assert client.collect([token])[0]["value"] == {
            "at": "1970-01-01T00:00:00.001Z",
            "bytes": "AP8=",
            "big": str(2**80),
            "set": [1],
            "nan": None,
            "map": [[2, "b"]],
        }
    other.close()
    client.close()


def keys_are_demanded(port, key):
    fails("UNAUTHENTICATED", lambda: Client(port))
    fails("UNAUTHENTICATED", lambda: Client(port, key=("nobody", key[1])))
    # The server proves itself first, so a client with another secret notices before it says anything.
    fails("UNAUTHENTICATED", lambda: Client(port, key=(key[0], "x" * 40)))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("--key")
    options.add_argument("--integrity")
    options.add_argument("--version", type=int, default=2)
    given = options.parse_args()
    key = (given.key, os.environ["COVEY_SECRET"]) if given.key else None

    def connect():
        return Client(given.port, key=key, integrity=given.integrity, version=given.version)

    client = connect()
    checks = list(CHECKS) if given.version == 1 else CHECKS + NEW
    if client.seal is not None:
        checks = checks + SEALED
    for run in checks:
        try:
            run(client, connect) if run.__code__.co_argcount == 2 else run(client)
        except Exception:
            print(f"failed {run.__name__}", flush=True)
            traceback.print_exc()
            return 1
        print(f"held {run.__name__}", flush=True)
    null_is_as_good_as_missing(given, key)
    print("held null_is_as_good_as_missing", flush=True)
    json_is_spoken(given, key)
    print("held json_is_spoken", flush=True)
    if key is not None:
        keys_are_demanded(given.port, key)
        print("held keys_are_demanded", flush=True)
    assert client.welcome["covey"] == given.version
    client.close()
    return 0


sys.exit(main())

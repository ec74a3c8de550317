"""Reads values from a file and writes them again, as Debian's python3-msgpack understands them.

The file holds, for each value, u32 size (big end first) and its bytes. Usage: msgpack_values.py <from> <to>.
Exit code 1 and a line of text if one of them cannot be read.
"""

import struct
import sys

import msgpack


def values(path):
    with open(path, "rb") as file:
        data = memoryview(file.read())
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def main(source, target):
    with open(target, "wb") as out:
        for place, packed in enumerate(values(source)):
            try:
                # `timestamp=0`: as the library's own Timestamp, which has whole nanoseconds.
                value = msgpack.unpackb(packed, raw=False, strict_map_key=True, timestamp=0)
                again = msgpack.packb(value, use_bin_type=True)
            except Exception as error:
                print(f"value {place}: {error!r}: {bytes(packed[:40]).hex()}")
                return 1
            out.write(struct.pack(">I", len(again)) + again)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

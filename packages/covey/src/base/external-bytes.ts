/** Pieces of garbage are made for at most so many bytes at a time: V8 treats arrays of more than 128 KiB differently. */
const stepBytes = 64 * 1024

/** About so many bytes outside the heap are made between two collections. */
const wantedBytes = 16 * 1024 * 1024

/** So often V8 is asked how large its young generation is, which takes 6 µs. */
const lookBytes = wantedBytes / 4

/** The bytes that count as inside the heap, at the least; less than a quarter leaves more dead buffers than are wanted. */
const leastShare = 1 / 4

/** What an element of an array takes. */
const elementBytes = 8

/** An array that is dropped at once; kept until the next one, so that making it is not optimized away. */
const dropped: { last: unknown[] } = { last: [] }

let share = leastShare
let untilLookBytes = 0

/**
 * Has memory outside V8's heap collected about as soon as if a part of it were inside: for large buffers that are made one
 * after the other and used for a moment.
 *
 * V8 collects its young generation when that is full of objects. The bytes of an `ArrayBuffer` are not in it: a stream of
 * buffers looks like a few objects, and some 64 MiB of dead ones pile up until they count as growth of the old generation,
 * all of which is marked and swept then. So for each buffer garbage is made inside, a quarter of its size; more where the young
 * generation has grown so far (16 MiB in a process that has done other things before) that a quarter would let more than 16 MiB
 * pile up. Measured with 1 GiB in chunks of 64 KiB, at the reader: 20 collections of the old generation and 83 MiB before; 40 to 85
 * of the young one, 20 to 40 MiB, and a third of the user time since. Itself it takes 0.6 to 2 µs for 64 KiB. With 24 MiB in place of 16 the
 * stream is a twentieth faster, and takes 15 MiB more in the middle, 69 to 87 in one process of twelve.
 */
export function countExternalBytes(bytes: number): void {
  if (untilLookBytes <= 0) look()
  untilLookBytes -= bytes
  for (let left = bytes; left > 0; left -= stepBytes) {
    dropped.last = new Array(Math.floor((Math.min(left, stepBytes) * share) / elementBytes))
  }
}

function look(): void {
  untilLookBytes = lookBytes
  share = Math.min(1, Math.max(leastShare, youngBytes() / wantedBytes))
}

/** What the young generation can hold, in bytes; 0 where nobody says, as in browsers. */
function youngBytes(): number {
  const v8 = globalThis.process?.getBuiltinModule?.('node:v8')
  const young = v8?.getHeapSpaceStatistics?.().find((space) => space.space_name === 'new_space')
  return young === undefined ? 0 : young.space_used_size + young.space_available_size
}

/** MessagePack extension types: -1 is of the standard, the others are ours. */
export const extension = {
  /** `Date`, as the standard's timestamp. */
  timestamp: -1,
  /** `bigint`, as decimal digits. */
  bigint: 1,
  /** `Map`, as an array of key, value, key, value, … */
  map: 2,
  /** `Set`, as an array of its elements. */
  set: 3,
} as const

/** Bounds of the codec `shapes`, on what is announced and on what is accepted. */
export const shapeLimits = {
  /** Shapes that a side may announce on one connection. */
  maxShapes: 1_024,
  /** Keys of one shape. */
  maxKeys: 64,
  /** Bytes of the body of one announcement. */
  maxFrameBytes: 4_096,
  /** Places for texts in one message. */
  textPlaces: 32,
  /** Bytes of a text in a place; so many come of two, which is no more than what the keys of a shape come to. */
  maxTextBytes: 64,
} as const

/** The byte before the number of a shape or a place; MessagePack has no use for it. */
export const shapeMark = 0xc1

/** The byte behind the mark, with the number of a place in its five lowest bits. Numbers of shapes begin with less. */
export const textMark = {
  /** A text follows, and is put into the place. */
  put: 0xc0,
  /** The text in the place. */
  again: 0xe0,
} as const

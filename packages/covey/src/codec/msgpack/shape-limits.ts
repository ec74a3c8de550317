/** Bounds of the codec `shapes`, on what is announced and on what is accepted. */
export const shapeLimits = {
  /** Shapes that a side may announce on one connection. */
  maxShapes: 1_024,
  /** Keys of one shape. */
  maxKeys: 64,
  /** Bytes of the body of one announcement. */
  maxFrameBytes: 4_096,
} as const

/** The byte before the number of a shape; MessagePack has no use for it. */
export const shapeMark = 0xc1

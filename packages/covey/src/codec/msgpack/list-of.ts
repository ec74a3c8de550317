/** Lists of 0, 1, 2, … zeros. */
const templates: number[][] = []
for (let size = 0; size <= 64; size++) {
  const template: number[] = []
  for (let index = 0; index < size; index++) template.push(0)
  templates.push(template.slice())
}

/**
 * A list of `count` zeros, or of 64 if that is less, to be overwritten. A copy, for three reasons: one that grows takes memory for
 * 17 elements at once; `new Array` makes one with holes, which is slower to use; and what an array literal makes V8 allocates in
 * the old generation once the first ones have survived a collection, where they keep all that is in them alive until the next
 * full one.
 */
export function listOf(count: number): unknown[] {
  return templates[count < 64 ? count : 64]!.slice()
}

/** Memory in pieces as small as asked for, never lent twice: shows what a writer does when its slab is full. */
export function smallSlabs(bytes: number) {
  return {
    lend: (minBytes: number) => new Uint8Array(Math.max(bytes, minBytes)),
    takeBack() {},
  }
}

/** The allocator keeps twice this much. */
const blockBytes = 16 * 1024 * 1024

let kept = false

/**
 * Lets this process keep up to 32 MiB of memory that it has freed. Who reads large elements frees and takes memory all the
 * time. When 128 KiB are free at the end of its heap, glibc gives them back to the kernel, and then takes them again page by
 * page, each of them cleared: up to 24 µs of 45 for 64 KiB of a stream at the reader. It raises that limit by itself to twice
 * the largest block that was freed (`mallopt(3)`, M_MMAP_THRESHOLD), so one is freed here. Nobody writes to it, so it takes no
 * memory. Once for a process; other allocators do not mind.
 */
export function keepFreedMemory(): void {
  if (kept || process.platform !== 'linux') return
  kept = true
  // The bytes of the buffer go at once, without waiting for a collection.
  new ArrayBuffer(blockBytes).transfer(0)
}

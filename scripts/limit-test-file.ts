/**
 * Loaded before each test file (`--import`): ends the file's process, and so fails it, when it
 * still runs after `TEST_FILE_LIMIT_MS` (3 minutes). The test runner's own time limit ends tests,
 * but waits without end for a file whose tests are over while a server, socket or timer that they
 * left keeps it alive.
 */
const limitMs = Number(process.env.TEST_FILE_LIMIT_MS ?? 180_000)

// The runner loads this too, and is the one process that may take as long as it likes.
if (process.env.NODE_TEST_CONTEXT) setTimeout(endFile, limitMs).unref()

function endFile(): void {
  const kept = process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap')
  console.error(`The test file ran for more than ${limitMs / 1000} s; it is kept alive by: ${kept}`)
  process.exit(1)
}

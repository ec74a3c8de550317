import { transportSuite } from '../../testing/transport-suite.ts'
import { createMemoryTransport } from './memory-transport.ts'

let names = 0

transportSuite('memory', {
  transport: createMemoryTransport(),
  async freeAddress() {
    names += 1
    return `memory:suite-${names}`
  },
})

export { FakeClock } from './fake-clock.ts'
export { freePort } from './free-port.ts'
export { ListReader } from './list-reader.ts'
export { LocalService, type LocalServiceOptions } from './local-service.ts'
export { type LogLine, RecordingLog } from './recording-log.ts'
export {
  type RegistryStore,
  type RegistrySuiteOptions,
  registrySuite,
  sampleInstance,
} from './registry-suite.ts'
export { until } from './until.ts'

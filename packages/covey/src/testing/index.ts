export {
  type ChaosDirection,
  ChaosProxy,
  type ChaosProxyOptions,
  startChaosProxy,
} from './chaos-proxy.ts'
export { ExecutionLog } from './execution-log.ts'
export { FakeClock } from './fake-clock.ts'
export { freePort } from './free-port.ts'
export { ListReader } from './list-reader.ts'
export { LocalService, type LocalServiceOptions } from './local-service.ts'
export { type ModeSuiteOptions, modeSuite } from './mode-suite.ts'
export { seededRandom } from './random.ts'
export { type LogLine, RecordingLog } from './recording-log.ts'
export {
  type RegistryStore,
  type RegistrySuiteOptions,
  registrySuite,
  sampleInstance,
} from './registry-suite.ts'
export {
  createTestAuthority,
  type TestAuthority,
  type TestCertificate,
  type TestCertificateOptions,
} from './test-authority.ts'
export { noToxics, type Toxics } from './toxics.ts'
export { type TransportSuiteOptions, transportSuite } from './transport-suite.ts'
export { TruthLedger, type WitnessedCall } from './truth-ledger.ts'
export { until } from './until.ts'

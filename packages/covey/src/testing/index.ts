export { FakeClock } from './fake-clock.ts'
export { freePort } from './free-port.ts'
export { LocalService, type LocalServiceOptions } from './local-service.ts'
export { until } from './until.ts'

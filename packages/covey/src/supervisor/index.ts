export { defineFleet } from './define-fleet.ts'
export type {
  BannerLine,
  Fleet,
  FleetOptions,
  FleetProcess,
  HealthCheck,
  ProcessOptions,
  Restart,
} from './fleet.ts'

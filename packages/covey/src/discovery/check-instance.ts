import { CoveyError } from '../error/covey-error.ts'
import type { Instance } from './registry.ts'

/** Ids become parts of file names and keys elsewhere, so their form is strict. */
export const instanceIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** Any other scheme may be that of somebody's transport. Addresses are shown on pages. */
const noSchemes = ['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:']
const maxServices = 1_000
const maxAddresses = 32
const maxNameLength = 200
const maxAddressLength = 2_048
const maxWeight = 1_000_000
const maxLabelLength = 100
const maxTags = 64

/**
 * Checks an instance that somebody else made. Fields that are not known are left out.
 *
 * @returns a frozen copy
 * @throws CoveyError `INVALID_INPUT`; `details.issues` names each field
 */
export function checkInstance(value: unknown): Instance {
  const source = typeof value === 'object' && value !== null ? value : {}
  const issues = Object.entries(fields).flatMap(([path, { accepts, expected }]) =>
    accepts((source as Record<string, unknown>)[path])
      ? []
      : [{ path, message: `expected ${expected}` }],
  )
  if (issues.length > 0) throw instanceError(issues)
  const { id, app, services, addresses, weight, state, startedAtMs } = source as Instance
  return Object.freeze({
    id,
    app,
    services: Object.freeze([...services]),
    addresses: Object.freeze([...addresses]),
    weight,
    ...labels(source as Instance),
    state,
    startedAtMs,
  })
}

/** What callers may ask for, as far as it is there. */
function labels({ group, version, zone, tags }: Instance): Partial<Instance> {
  return {
    ...(group !== undefined && { group }),
    ...(version !== undefined && { version }),
    ...(zone !== undefined && { zone }),
    ...(tags !== undefined && { tags: Object.freeze([...tags]) }),
  }
}

/**
 * Checks what an instance is changed into.
 * @throws CoveyError `INVALID_INPUT`, also when its id is not `id`
 */
export function checkUpdate(value: unknown, id: string): Instance {
  const instance = checkInstance(value)
  if (instance.id === id) return instance
  throw instanceError([{ path: 'id', message: `expected ${id}, for an id never changes` }])
}

function instanceError(issues: readonly { path: string; message: string }[]): CoveyError {
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return new CoveyError('INVALID_INPUT', `instance: ${text}`, { details: { issues } })
}

interface Field {
  readonly accepts: (value: unknown) => boolean
  readonly expected: string
}

const label: Field = {
  accepts: (value) => value === undefined || isLabel(value),
  expected: `text of up to ${maxLabelLength} characters, or nothing`,
}

const fields: { readonly [K in keyof Required<Instance>]: Field } = {
  id: {
    accepts: (id) => typeof id === 'string' && instanceIdPattern.test(id),
    expected: 'up to 128 letters, digits, dots, dashes and underscores, a letter or digit first',
  },
  app: { accepts: isName, expected: `a name of up to ${maxNameLength} characters` },
  services: {
    accepts: (services) => isListOf(isName, services, maxServices),
    expected: `up to ${maxServices} names of up to ${maxNameLength} characters`,
  },
  addresses: {
    accepts: (addresses) => isListOf(isAddress, addresses, maxAddresses),
    expected: `up to ${maxAddresses} URLs like tcp://127.0.0.1:4100`,
  },
  weight: {
    accepts: (weight) => isNumber(weight) && weight <= maxWeight,
    expected: `a number from 0 to ${maxWeight}`,
  },
  group: label,
  version: label,
  zone: label,
  tags: {
    accepts: (tags) => tags === undefined || isListOf(isLabel, tags, maxTags),
    expected: `up to ${maxTags} texts of up to ${maxLabelLength} characters, or nothing`,
  },
  state: { accepts: (state) => state === 'up' || state === 'draining', expected: 'up or draining' },
  startedAtMs: { accepts: isNumber, expected: 'milliseconds since 1970' },
}

function isListOf(accepts: (item: unknown) => boolean, value: unknown, most: number): boolean {
  return Array.isArray(value) && value.length <= most && value.every(accepts)
}

function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > maxNameLength) return false
  return /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(value)
}

/** Whether it may be the group, the version, the zone or a tag of an instance. */
function isLabel(value: unknown): value is string {
  return isName(value) && value.length <= maxLabelLength
}

function isAddress(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > maxAddressLength) return false
  const scheme = URL.parse(value)?.protocol
  return scheme !== undefined && !noSchemes.includes(scheme)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long' })
const dayOfYear = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
})
const fullDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
const shortDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const shortFullDay = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: '2-digit',
  year: 'numeric',
})
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'medium' })

/** Time of day: `14:05`. */
export function timeOfDay(ms: number): string {
  return clock.format(ms)
}

/** Day and time in full, for a hint. */
export function exactTime(ms: number): string {
  return moment.format(ms)
}

/** Whether two instants are on the same day here. */
export function sameDay(a: number, b: number): boolean {
  return daysBetween(a, b) === 0
}

/** Heading of a day in a history: `Today`, `Yesterday`, `Monday, 3 March`, `3 March 2024`. */
export function dayHeading(ms: number, nowMs: number): string {
  const days = daysBetween(ms, nowMs)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return sameYear(ms, nowMs) ? dayOfYear.format(ms) : fullDay.format(ms)
}

/** Age of a conversation in a list: `14:05`, `Yesterday`, `Monday`, `3 Mar`, `03/03/2024`. */
export function listTime(ms: number, nowMs: number): string {
  const days = daysBetween(ms, nowMs)
  if (days <= 0) return timeOfDay(ms)
  if (days === 1) return 'Yesterday'
  if (days < 7) return weekday.format(ms)
  return sameYear(ms, nowMs) ? shortDay.format(ms) : shortFullDay.format(ms)
}

/** Midnights between two instants, so that 23:59 and 00:01 are a day apart. */
function daysBetween(earlier: number, later: number): number {
  const midnight = (ms: number) => new Date(ms).setHours(0, 0, 0, 0)
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000)
}

function sameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear()
}

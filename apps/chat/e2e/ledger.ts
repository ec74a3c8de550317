import assert from 'node:assert/strict'

/** One message as somebody sees it. */
export interface Entry {
  readonly seq: number
  readonly clientId: string
  readonly text: string
}

/** What must be there in the end: every message that the server has acknowledged to somebody. */
export class Ledger {
  readonly #acknowledged = new Map<string, Entry>()

  /** Notes messages that a page shows as stored. One that was noted before must not have changed. */
  note(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert.deepEqual(this.#acknowledged.get(entry.clientId) ?? entry, entry)
      this.#acknowledged.set(entry.clientId, entry)
    }
  }

  get size(): number {
    return this.#acknowledged.size
  }

  /** Every acknowledged message once, at its place, and sequences from 1 without a hole. */
  check(name: string, history: readonly Entry[]): void {
    const seqs = history.map(({ seq }) => seq)
    const whole = Array.from({ length: history.length }, (_, index) => index + 1)
    assert.deepEqual(seqs, whole, `${name}: the sequence has holes, repeats or a wrong order`)
    const byClientId = Map.groupBy(history, ({ clientId }) => clientId)
    for (const [clientId, entry] of this.#acknowledged) {
      assert.deepEqual(
        byClientId.get(clientId),
        [entry],
        `${name}: acknowledged, but not there once`,
      )
    }
  }
}

import { pinoRecord } from '../observe/log-line.ts'
import type { LogAudience } from './log/log-hub.ts'
import { isLastWord, type OutputLine, startReason, startWords } from './start-reason.ts'

/** A try to start that failed. */
export interface FailedStart {
  /** How many failed in a row, this one included. */
  readonly attempt: number
  /** It ended as the one before did and for the same reason, so its lines were not shown again. */
  readonly repeated: boolean
  /** Why, in one line; undefined when the process said nothing. */
  readonly reason: string | undefined
  /** Its last words, a line each. */
  readonly words: readonly string[]
}

/** Takes a line that is to be shown. */
export type ShowLine = (line: OutputLine, audience: LogAudience) => void

/** One try. */
interface Try {
  readonly lines: OutputLine[]
  /** How it ended: `exited with code 1`. */
  end: string
  reason: string | undefined
}

/** Lines that are remembered of a try; one that writes more is shown as it comes. */
const maxLines = 500

/**
 * What a process writes while it starts, told once. A try that says line by line what the one before said is held back: when it fails
 * for the same reason, its lines are left out, and whoever reports the failure says so in one line. As soon as it says something new, or
 * is ready, all is shown. So is nothing held back that was not seen before, but for the last words, which the end of the process follows.
 */
export class StartOutput {
  readonly #show: ShowLine
  #previous: Try | undefined
  #current: Try = emptyTry()
  #held: OutputLine[] = []
  /** Whether the lines so far are those of the previous try. */
  #repeats = false
  #dying = false
  #settled = false
  #attempt = 0

  constructor(show: ShowLine) {
    this.#show = show
  }

  /** Why it could not start the last time; undefined once it could. */
  get reason(): string | undefined {
    return this.#previous?.reason ?? this.#previous?.end
  }

  /** A try begins. */
  begin(): void {
    this.#release('everywhere')
    this.#current = emptyTry()
    this.#repeats = this.#previous !== undefined
    this.#dying = false
    this.#settled = false
  }

  /** Takes a line of the process. */
  take(line: OutputLine): void {
    if (this.#settled) return this.#show(line, 'everywhere')
    const { lines } = this.#current
    this.#repeats &&= this.#isNext(line)
    this.#dying ||= line.stream === 'stderr' && isLastWord(line.text)
    if (lines.length < maxLines) lines.push(line)
    else this.#dying = false
    if (!this.#repeats && !this.#dying) this.#release('everywhere')
    if (this.#repeats || this.#dying) this.#held.push(line)
    else this.#show(line, 'everywhere')
  }

  /** It is ready; whatever it says from now on is shown, and a later failure is a new one. */
  settle(): void {
    this.#settled = true
    this.#release('everywhere')
    this.#current = emptyTry()
    this.#previous = undefined
    this.#attempt = 0
  }

  /**
   * The process has ended. Returns what is to be told if it had not been ready, else undefined.
   * @param end how it ended: `exited with code 1`
   * @param why the supervisor's own reason, where it ended the process
   * @param audience who sees its last words
   */
  fail(end: string, why?: string, audience: LogAudience = 'everywhere'): FailedStart | undefined {
    if (this.#settled) return undefined
    const { lines } = this.#current
    const reason = why ?? startReason(lines)
    const repeated = this.#previous?.end === end && this.#previous.reason === reason
    if (repeated) this.#held = []
    else this.#release(audience)
    this.#previous = { lines, end, reason }
    this.#attempt += 1
    return { attempt: this.#attempt, repeated, reason, words: startWords(lines) }
  }

  #isNext({ stream, text }: OutputLine): boolean {
    const said = (list: readonly OutputLine[]) => list.filter((line) => line.stream === stream)
    const expected = said(this.#previous?.lines ?? [])[said(this.#current.lines).length]
    return expected !== undefined && comparable(expected.text) === comparable(text)
  }

  #release(audience: LogAudience): void {
    const held = this.#held
    this.#held = []
    for (const line of held) this.#show(line, audience)
  }
}

function emptyTry(): Try {
  return { lines: [], end: '', reason: undefined }
}

/** A line without what differs from try to try. */
function comparable(text: string): string {
  const record = pinoRecord(text)
  if (record === undefined) return text
  const { time: _, pid: __, ...same } = record
  return JSON.stringify(same)
}

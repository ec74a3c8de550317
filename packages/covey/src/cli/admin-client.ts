import { CoveyError } from '../error/covey-error.ts'
import { type RunFolder, readToken } from '../supervisor/run-folder.ts'
import type { SupervisorRecord } from '../supervisor/supervisor-record.ts'

/** Time for the supervisor to begin an answer. */
const answerMs = 5_000

/** Speaks with the HTTP API of a running supervisor. */
export class AdminClient {
  readonly #url: string
  readonly #token: string

  /** @throws CoveyError `UNAUTHENTICATED` when the token cannot be read */
  constructor(folder: RunFolder, { url }: SupervisorRecord) {
    const token = readToken(folder)
    if (token === undefined) {
      const message = `${folder.tokenFile} holds no token; remove it and start the fleet again`
      throw new CoveyError('UNAUTHENTICATED', message)
    }
    this.#url = url
    this.#token = token
  }

  /** @throws CoveyError `UNAVAILABLE` when there is no answer, or with the message of the problem that came */
  async get<T>(path: string): Promise<T> {
    return (await (await this.#request('GET', path)).json()) as T
  }

  async post<T>(path: string): Promise<T> {
    return (await (await this.#request('POST', path)).json()) as T
  }

  /** The JSON objects of an answer, one a line, as they come. Ends when the supervisor ends. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const { body } = await this.#request('GET', path)
    if (body === null) return
    let rest = ''
    try {
      for await (const text of body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line !== '') yield JSON.parse(line)
      }
    } catch (error) {
      // A stream that breaks is how a supervisor that stops says goodbye.
      if (!(error instanceof TypeError)) throw error
    }
  }

  async #request(method: string, path: string): Promise<Response> {
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), answerMs)
    const headers = { authorization: `Bearer ${this.#token}` }
    let answer: Response
    try {
      answer = await fetch(this.#url + path, { method, headers, signal: limit.signal })
    } catch (error) {
      const message = `the supervisor does not answer at ${this.#url}; see "ps" whether it hangs`
      throw new CoveyError('UNAVAILABLE', message, { cause: error })
    } finally {
      clearTimeout(timer)
    }
    if (answer.ok) return answer
    const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string }
    const { title = 'INTERNAL', detail = `status ${answer.status}` } = problem
    throw new CoveyError(title, `the supervisor at ${this.#url} refuses: ${detail}`)
  }
}

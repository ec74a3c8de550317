import { CoveyError } from '../../../error/covey-error.ts'
import { jsonBody } from '../body-codec.ts'
import type { CallDesk } from '../call-desk.ts'
import type { Exchange } from '../exchange.ts'
import { readBody } from '../read-body.ts'
import { mediaType } from '../wire.ts'
import { doraCodes } from './dora-codes.ts'

/** An error with a number of Dora's own. */
export class DoraError extends CoveyError {
  readonly number: number
  /** That of the request, if it could be read. */
  readonly guid: string

  constructor(number: number, message: string, guid = '') {
    super('INVALID_INPUT', message)
    this.number = number
    this.guid = guid
  }
}

/** What a client of Dora asks for. */
export interface DoraRequest {
  readonly guid: string
  /** Names to what is called: `{ name, param }`. */
  readonly api: Readonly<Record<string, unknown>>
}

/**
 * Reads the form fields `params` (JSON `{ guid, api }`) and `guid`.
 * @throws DoraError `100003`, `100004`; CoveyError `MESSAGE_TOO_LARGE`
 */
export async function readDoraRequest(desk: CallDesk, exchange: Exchange): Promise<DoraRequest> {
  const { limits, options } = desk
  const bounds = {
    maxBytes: limits.maxFrameBytes,
    maxMs: limits.partialFrameMs,
    clock: options.clock,
  }
  const body = await readBody(exchange.request, bounds)
  const form = await readForm(exchange, body)
  const [params, field] = [form.get('params'), form.get('guid')]
  if (typeof params !== 'string' || typeof field !== 'string') {
    const message = 'Parameter was not set or wrong: the form fields params and guid are needed'
    throw new DoraError(doraCodes.wrongParameter, message, typeof field === 'string' ? field : '')
  }
  const { guid, api } = readParams(params, field)
  if (typeof guid !== 'string' || guid === '' || !isObject(api) || Object.keys(api).length === 0) {
    throw incomplete('params is { guid, api }, and api is not empty', field)
  }
  return { guid, api }
}

/** Plain forms, and those in parts, as PHP sends them for a list of fields. */
async function readForm(exchange: Exchange, body: Uint8Array): Promise<URLSearchParams | FormData> {
  const { contentType, request } = exchange
  if (contentType === mediaType.form) return new URLSearchParams(Buffer.from(body).toString())
  if (contentType !== mediaType.multipart) return new URLSearchParams()
  const headers = { 'content-type': request.headers['content-type']! }
  return new Response(new Uint8Array(body), { headers }).formData().catch(() => new FormData())
}

function readParams(params: string, guid: string): Record<string, unknown> {
  let value: unknown
  try {
    value = jsonBody.decode(Buffer.from(params))
  } catch (error) {
    throw incomplete(CoveyError.from(error).message, guid)
  }
  if (isObject(value)) return value
  throw incomplete('params is no object', guid)
}

function incomplete(why: string, guid: string): DoraError {
  return new DoraError(doraCodes.incompleteParams, `Parameter was not set or wrong: ${why}`, guid)
}

/** An object of JSON; PHP sends an empty one as an empty list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import type { CoveyError } from '../../error/covey-error.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import { jsonBody } from './body-codec.ts'
import { mediaType } from './wire.ts'

/** How the parts of a stream are written for those who read text. */
export interface TextStream {
  readonly mediaType: string
  /** @throws CoveyError `UNENCODABLE` */
  item(value: unknown): string
  end(): string
  error(error: CoveyError): string
  /** Shows a quiet stream to be alive. */
  ping(): string
}

/** Each line is an object with one key, so that no element can be taken for an end. */
export const lineStream: TextStream = {
  mediaType: mediaType.lines,
  item: (value) => `{"item":${json(value)}}\n`,
  end: () => '{"end":true}\n',
  error: (error) => `{"error":${errorJson(error)}}\n`,
  ping: () => '{"ping":true}\n',
}

/** Source: WHATWG HTML, Server-sent events. JSON has no line breaks outside of strings, and escapes those inside. */
export const eventStream: TextStream = {
  mediaType: mediaType.events,
  item: (value) => `event: item\ndata: ${json(value)}\n\n`,
  end: () => 'event: end\ndata: {}\n\n',
  error: (error) => `event: error\ndata: ${errorJson(error)}\n\n`,
  ping: () => ': ping\n\n',
}

const text = new TextDecoder()

function json(value: unknown): string {
  return text.decode(jsonBody.encode(value))
}

function errorJson(error: CoveyError): string {
  return sendErrorData(error.toData(), json)
}

import type { Payload } from './payload.ts'

/**
 * One framework under measurement: the module of a subject exports exactly these two functions.
 * Both run in processes of their own, so a subject may keep what it likes in its module and never
 * has to clean up after its server.
 */
export interface Subject {
  /**
   * Listens on 127.0.0.1:`port` and answers each call with the object it got. Resolves when it
   * accepts calls.
   */
  startServer(port: number): Promise<void>
  /** Opens one connection to such a server. Resolves when it is ready for calls. */
  connect(port: number): Promise<EchoClient>
}

export interface EchoClient {
  /** One unary call over the one connection. Rejects on any failure. */
  echo(payload: Payload): Promise<Payload>
  close(): Promise<void>
}

/** How bodies are made smaller; a platform lends it to its sessions. */
export interface Compression {
  /** Its name in the handshake. */
  readonly name: string
  pack(body: Uint8Array): Uint8Array
  /**
   * Inflates to exactly `plainBytes`, at once.
   * @throws CoveyError `PROTOCOL_ERROR` if it is more, less, or no compressed body at all
   */
  inflate(packed: Uint8Array, plainBytes: number): Uint8Array<ArrayBuffer>
  /** The same, beside the event loop; rejects where `inflate` throws. */
  inflateLater(packed: Uint8Array, plainBytes: number): Promise<Uint8Array<ArrayBuffer>>
}

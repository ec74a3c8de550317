/** The WebSocket subprotocol: Covey's frames in binary messages, cut as the sender likes. */
export const subprotocol = 'covey.1'

/**
 * The longest message that a client sends, in bytes; what it writes at once may be much more, for example a batch. Any server takes
 * such messages, also one that takes only smaller frames.
 */
export const maxMessageBytes = 64 * 1024

/** The WebSocket subprotocol: Covey's frames in binary messages, cut as the sender likes. */
export const subprotocol = 'covey.1'

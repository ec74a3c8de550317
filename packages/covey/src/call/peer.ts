/** Who somebody is, as an authentication step established it. */
export interface Identity {
  /** Stable name of the user or service. */
  readonly subject: string
  /** What else the credential said. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The other end of the connection that a call came over. */
export interface Peer {
  /** `tcp`, `ws`, `http`, `memory`, … */
  readonly protocol: string
  /** Address of the peer as the transport knows it, for logs. */
  readonly address: string
  /** Unique for each connection of this process. */
  readonly connectionId: string
  /** Who is there; undefined when the connection carried no credential. */
  readonly identity: Identity | undefined
}

/** The peer of calls that stay in this process. */
export const localPeer: Peer = {
  protocol: 'memory',
  address: 'local',
  connectionId: 'local',
  identity: undefined,
}

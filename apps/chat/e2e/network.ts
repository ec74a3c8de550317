import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from 'covey/testing'

/** What gets through: everything, only plain HTTP and no WebSocket, or nothing. */
export type Passage = 'all' | 'http' | 'nothing'

/** The network between one browser and the gateway, which a test can break and mend. */
export class Network {
  readonly url: string
  readonly #server: Server
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #passage: Passage = 'all'

  private constructor(url: string, target: URL) {
    this.url = url
    this.#target = target
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** @param target URL of the gateway */
  static async start(target: string): Promise<Network> {
    const port = await freePort()
    const network = new Network(`http://127.0.0.1:${port}`, new URL(target))
    network.#server.listen(port, '127.0.0.1')
    await once(network.#server, 'listening')
    return network
  }

  /** From now on only this gets through; everything that is open breaks. */
  allow(passage: Passage): void {
    this.#passage = passage
    if (passage !== 'all') this.#breakAll()
  }

  stop(): void {
    this.#server.close()
    this.#breakAll()
  }

  /** The first bytes say what a connection is for. */
  #accept(browser: Socket): void {
    this.#keep(browser)
    if (this.#passage === 'nothing') return void browser.destroy()
    browser.once('data', (head: Buffer) => {
      const webSocket = head.subarray(0, 9).toString() === 'GET /rpc '
      if (webSocket && this.#passage !== 'all') return void browser.destroy()
      const gateway = connect(Number(this.#target.port), this.#target.hostname)
      this.#keep(gateway)
      browser.once('close', () => gateway.destroy())
      gateway.once('close', () => browser.destroy())
      gateway.write(head)
      browser.pipe(gateway).pipe(browser)
    })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

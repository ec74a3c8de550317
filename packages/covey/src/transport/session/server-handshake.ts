import { fromHex, toHex } from '../../base/hex.ts'
import { sameBytes } from '../../base/same-bytes.ts'
import type { Identity } from '../../call/peer.ts'
import { crcSeal, macSeal } from '../../codec/frame/frame-seal.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { AuthKey, KeyRing } from '../key-ring.ts'
import { demandsKey, integrityOf } from '../link-options.ts'
import type { ListenOptions } from '../transport.ts'
import { bodyOf } from './client-handshake.ts'
import type { FrameLink } from './frame-link.ts'
import {
  type Challenge,
  chooseVersion,
  type Hello,
  readHello,
  readProof,
  type Welcome,
} from './hello.ts'
import { agree, type KeyAgreement, nonceBytes, secretsOf } from './key-auth.ts'

/** A client that has introduced itself. */
export interface Introduction {
  readonly hello: Hello
  readonly version: number
  /** Who it proved to be by a key. */
  readonly identity: Identity | undefined
  /** Why it proved no key, where one was asked for and not demanded. */
  readonly unproved?: string | undefined
}

/** What the server waits for while the client proves its key. */
interface Challenged {
  readonly hello: Hello
  /** One for each secret of the key that is accepted, the newest first. */
  readonly agreements: readonly KeyAgreement[]
  /** In the same order. */
  readonly expectedProofs: readonly Uint8Array[]
  readonly identity: Identity
}

/** The server's part of a handshake up to the introduction, and what is agreed on with the welcome. */
export class ServerHandshake {
  readonly #link: FrameLink
  readonly #options: ListenOptions
  #challenged: Challenged | undefined
  #sealed = false

  constructor(link: FrameLink, options: ListenOptions) {
    this.#link = link
    this.#options = options
  }

  /**
   * Takes a hello or a proof.
   * @returns who the client is, once it has shown all that is demanded
   * @throws CoveyError `UNAUTHENTICATED`, `PROTOCOL_ERROR`
   */
  take(frame: Frame): Introduction | undefined {
    if (frame.type === frameType.proof) return this.#onProof(frame)
    if (this.#challenged !== undefined) throw new CoveyError('PROTOCOL_ERROR', 'a second hello')
    const hello = readHello(frame)
    const { keys } = this.#options
    if (keys === undefined) return nobody(hello)
    const key = this.#keyOf(hello, keys)
    if (key instanceof CoveyError) return this.#goOnWithout(hello, key)
    return this.#challenge(hello, bodyOf(frame), key)
  }

  /** Sends the welcome and begins with what it says. */
  greet(welcome: Welcome, { hello, version }: Introduction): void {
    const { compression } = this.#options
    const seals = version > 1 && hello.integrity === 'crc32c' && !this.#sealed
    const whole: Welcome = {
      ...welcome,
      compress: version > 1 && compression !== undefined ? [compression.name] : undefined,
      integrity: seals ? 'crc32c' : undefined,
    }
    this.#link.send(frameType.welcome, 0, 0, (out) => out.text(JSON.stringify(whole)))
    if (seals) {
      this.#link.outgoingSeal = crcSeal()
      this.#link.incomingSeal = crcSeal()
    }
    if (whole.compress !== undefined) this.#useCompression(hello)
  }

  /** The key that a client means, or why there is none that it could prove. */
  #keyOf(hello: Hello, keys: KeyRing): AuthKey | CoveyError {
    if (hello.key === undefined || chooseVersion(hello) === 1) return keyMissing(hello)
    return keys.find(hello.key.id) ?? keyUnknown(hello.key.id)
  }

  /** Takes a client that proves nothing, unless keys are demanded. @throws CoveyError `reason` */
  #goOnWithout(hello: Hello, reason: CoveyError): Introduction {
    if (demandsKey(this.#options)) throw reason
    this.#sealed = false
    return { ...nobody(hello), unproved: reason.message }
  }

  #challenge(hello: Hello, body: Uint8Array, key: AuthKey): undefined {
    const { crypto } = this.#options.keys!
    const { id, nonce } = hello.key!
    const clientNonce = fromHex(nonce)
    if (clientNonce?.length !== nonceBytes) {
      throw new CoveyError('PROTOCOL_ERROR', 'handshake: key.nonce is not 64 hexadecimal digits')
    }
    const serverNonce = crypto.random(nonceBytes)
    const agreements = secretsOf(key).map((secret) =>
      agree(crypto, secret, clientNonce, serverNonce),
    )
    const integrity = integrityOf(this.#options) === 'hmac' ? 'hmac' : 'none'
    const [proof, previousProof] = agreements.map((each) =>
      toHex(each.serverProof(body, integrity)),
    )
    const said: Challenge = { nonce: toHex(serverNonce), integrity, proof: proof!, previousProof }
    const challenge = new TextEncoder().encode(JSON.stringify(said))
    this.#link.send(frameType.challenge, 0, 0, (out) => out.raw(challenge))
    this.#sealed = integrity === 'hmac'
    this.#challenged = {
      hello,
      agreements,
      expectedProofs: agreements.map((each) => each.clientProof(body, challenge)),
      identity: { subject: key.subject, claims: { key: id } },
    }
  }

  #onProof(frame: Frame): Introduction {
    const challenged = this.#challenged
    if (challenged === undefined) throw new CoveyError('PROTOCOL_ERROR', 'a proof before the hello')
    const { hello, agreements, expectedProofs, identity } = challenged
    const said = readProof(frame)
    // The client could not check ours.
    if (said === '') return this.#goOnWithout(hello, wrongProof(hello.key!.id))
    const proof = fromHex(said) ?? new Uint8Array(0)
    const fits = expectedProofs.findIndex((expected) => sameBytes(proof, expected))
    const agreement = agreements[Math.max(0, fits)]!
    // An error is sealed as well, for a client that sent a proof reads nothing else.
    if (this.#sealed) this.#link.outgoingSeal = macSeal(agreement.serverFrames())
    if (fits === -1) throw wrongProof(hello.key!.id)
    if (this.#sealed) this.#link.incomingSeal = macSeal(agreement.clientFrames())
    return { hello, version: chooseVersion(hello), identity }
  }

  #useCompression({ compress = [] }: Hello): void {
    const { compression, compressAboveBytes = Number.POSITIVE_INFINITY } = this.#options
    const taken = compress.includes(compression!.name)
    this.#link.compress(compression!, taken ? compressAboveBytes : Number.POSITIVE_INFINITY)
  }
}

function nobody(hello: Hello): Introduction {
  return { hello, version: chooseVersion(hello), identity: undefined }
}

function keyMissing({ newest }: Hello): CoveyError {
  const why = newest === 1 ? 'speaks version 1 of the protocol, without keys' : 'proved no key'
  const message = `this instance takes only clients with a key, and the client ${why}; set covey.keys there (createRuntime({ keys }))`
  return new CoveyError('UNAUTHENTICATED', message)
}

function keyUnknown(id: string): CoveyError {
  const message = `key "${id}" is not known here; add it to covey.keys of this instance, or connect with another one`
  return new CoveyError('UNAUTHENTICATED', message)
}

function wrongProof(id: string): CoveyError {
  const message = `the client does not have the secret of key "${id}"; give both sides the same secret under that id`
  return new CoveyError('UNAUTHENTICATED', message)
}

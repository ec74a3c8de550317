import { fromHex, toHex } from '../../base/hex.ts'
import { sameBytes } from '../../base/same-bytes.ts'
import { codecs } from '../../codec/codecs.ts'
import { crcSeal, macSeal } from '../../codec/frame/frame-seal.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { AuthKey, KeyRing } from '../key-ring.ts'
import { demandsKey, integrityOf } from '../link-options.ts'
import type { ConnectOptions } from '../transport.ts'
import type { FrameLink } from './frame-link.ts'
import {
  type Challenge,
  type Hello,
  protocolVersions,
  readChallenge,
  readWelcome,
  type Welcome,
} from './hello.ts'
import { agree, type KeyAgreement, type KeyIntegrity, nonceBytes, secretsOf } from './key-auth.ts'

/** The key that a client proves with this connection. */
interface OwnKey {
  readonly ring: KeyRing
  readonly key: AuthKey
  readonly nonce: Uint8Array
}

/** The client's part of a handshake: says hello, proves its key, and takes no server that does not prove it too. */
export class ClientHandshake {
  readonly #link: FrameLink
  readonly #options: ConnectOptions
  readonly #own: OwnKey | undefined
  #hello: Uint8Array = new Uint8Array(0)
  #challenged = false
  #proved = false
  #unproved: string | undefined
  #sealed = false

  constructor(link: FrameLink, options: ConnectOptions) {
    this.#link = link
    this.#options = options
    const { keys } = options
    // One key to the end of the handshake, though the ring may change meanwhile.
    if (keys !== undefined) {
      this.#own = { ring: keys, key: keys.first(), nonce: keys.crypto.random(nonceBytes) }
    }
  }

  /** Why the server, which was welcome all the same, has proved no key. */
  get unproved(): string | undefined {
    return this.#unproved
  }

  /** Sends the hello. */
  begin(): void {
    const { limits, instance, credential, compression } = this.#options
    const own = this.#own
    const hello: Hello = {
      covey: protocolVersions.oldest,
      newest: protocolVersions.newest,
      codecs: codecs.map(({ name }) => name),
      maxFrameBytes: limits.maxFrameBytes,
      streamWindowBytes: limits.streamWindowBytes,
      instance,
      credential,
      compress: compression === undefined ? undefined : [compression.name],
      integrity: this.#wantsCrc ? 'crc32c' : undefined,
      key: own === undefined ? undefined : { id: own.key.id, nonce: toHex(own.nonce) },
    }
    this.#hello = new TextEncoder().encode(JSON.stringify(hello))
    this.#link.send(frameType.hello, 0, 0, (out) => out.raw(this.#hello))
  }

  /**
   * Takes what the server answers.
   * @returns its welcome, when all that was asked of it is there
   * @throws CoveyError `UNAUTHENTICATED`, `PROTOCOL_ERROR`
   */
  take(frame: Frame): Welcome | undefined {
    if (frame.type === frameType.welcome) return this.#onWelcome(readWelcome(frame))
    if (frame.type === frameType.challenge) return this.#onChallenge(frame)
    throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type} before the handshake`)
  }

  get #wantsCrc(): boolean {
    return integrityOf(this.#options) === 'crc32c'
  }

  #onChallenge(frame: Frame): undefined {
    const own = this.#own
    if (own === undefined || this.#challenged) {
      throw new CoveyError('PROTOCOL_ERROR', 'a challenge that was not asked for')
    }
    this.#challenged = true
    const challenge = readChallenge(frame)
    const { integrity } = challenge
    if (integrity !== 'hmac' && integrity !== 'none') throw malformedChallenge()
    const agreement = this.#agreement(own, challenge, integrity)
    if (agreement === undefined) return this.#proveNothing(wrongProof(own.key.id))
    if (integrity === 'none' && integrityOf(this.#options) === 'hmac') throw unsealed()
    const answer = toHex(agreement.clientProof(this.#hello, bodyOf(frame)))
    this.#link.send(frameType.proof, 0, 0, (out) => out.text(JSON.stringify({ proof: answer })))
    this.#proved = true
    if (integrity === 'none') return
    this.#sealed = true
    this.#link.outgoingSeal = macSeal(agreement.clientFrames())
    this.#link.incomingSeal = macSeal(agreement.serverFrames())
  }

  /** Asks the server to go on without a key. */
  #proveNothing(reason: CoveyError): undefined {
    if (demandsKey(this.#options)) throw reason
    this.#unproved = reason.message
    this.#link.send(frameType.proof, 0, 0, (out) => out.text(JSON.stringify({ proof: '' })))
  }

  /** By the newest secret that the server has as well. */
  #agreement(
    { ring, key, nonce }: OwnKey,
    challenge: Challenge,
    integrity: KeyIntegrity,
  ): KeyAgreement | undefined {
    const serverNonce = fromHex(challenge.nonce)
    if (serverNonce?.length !== nonceBytes) throw malformedChallenge()
    const proofs = [challenge.proof, challenge.previousProof].map((proof) => fromHex(proof ?? ''))
    for (const secret of secretsOf(key)) {
      const agreement = agree(ring.crypto, secret, nonce, serverNonce)
      const expected = agreement.serverProof(this.#hello, integrity)
      if (proofs.some((proof) => proof !== undefined && sameBytes(proof, expected)))
        return agreement
    }
    return undefined
  }

  #onWelcome(welcome: Welcome): Welcome {
    if (this.#own !== undefined && !this.#proved) this.#withoutProof(this.#own.key.id, welcome)
    const offersCrc = welcome.integrity === 'crc32c'
    if (offersCrc !== (this.#wantsCrc && !this.#sealed)) throw otherIntegrity(welcome)
    if (offersCrc) {
      this.#link.outgoingSeal = crcSeal()
      this.#link.incomingSeal = crcSeal()
    }
    this.#useCompression(welcome)
    return welcome
  }

  #withoutProof(id: string, welcome: Welcome): void {
    const reason = unproved(id, welcome)
    if (demandsKey(this.#options)) throw reason
    this.#unproved ??= reason.message
  }

  #useCompression({ covey, compress = [] }: Welcome): void {
    const { compression, compressAboveBytes = Number.POSITIVE_INFINITY } = this.#options
    if (compression === undefined || covey === 1) return
    const taken = compress.includes(compression.name)
    this.#link.compress(compression, taken ? compressAboveBytes : Number.POSITIVE_INFINITY)
  }
}

/** A copy of the body of a frame. */
export function bodyOf({ bytes, start, end }: Frame): Uint8Array {
  return bytes.slice(start, end)
}

function malformedChallenge(): CoveyError {
  return new CoveyError('PROTOCOL_ERROR', 'a malformed challenge')
}

function wrongProof(id: string): CoveyError {
  const message = `the server does not have the secret of key "${id}", or somebody changed the handshake; give both sides the same secret under that id`
  return new CoveyError('UNAUTHENTICATED', message)
}

function unproved(id: string, { instance, covey }: Welcome): CoveyError {
  const why =
    covey === 1 ? 'speaks version 1 of the protocol, without keys' : 'uses no keys, or not this one'
  const message = `instance ${instance} did not prove that it has key "${id}": it ${why}; set covey.keys there, or somebody stands between`
  return new CoveyError('UNAUTHENTICATED', message)
}

function unsealed(): CoveyError {
  const message =
    'the server seals no frames; set covey.integrity to "hmac" there, or to "none" here'
  return new CoveyError('UNAUTHENTICATED', message)
}

function otherIntegrity({ instance, integrity, covey }: Welcome): CoveyError {
  const said = `instance ${instance} (protocol version ${covey}) offers integrity ${integrity ?? 'none'}`
  return new CoveyError('PROTOCOL_ERROR', `${said}; this side wants something else`)
}

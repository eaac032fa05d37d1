import { MediaError } from '@mediaplane/media';
import type { UdpSocketHandle } from '@mediaplane/net';
import { SOCKET_ROLE } from '../media/contract.ts';
import { outOfMemory } from './errors.ts';
import type { AllParts } from './parts.ts';
import type { UplinkSettings } from './settings.ts';

/** A stall of 20 ms at 40,000 packets a second, each of which costs the kernel some 2.3 kB, and as much again. */
const BUFFER_BYTES = 4 << 20;
/** Within this machine there is nothing to mark. */
const DSCP = 0;

type Parts = Pick<AllParts, 'media' | 'sockets' | 'buffers' | 'log'>;

/** Where an encoder sends to, with the uplink's session on the media thread: all of its links hang on that. */
export class EncoderSocket {
  readonly #parts: Parts;
  readonly #uplinkId: string;
  readonly #handle: UdpSocketHandle;

  private constructor(parts: Parts, uplinkId: string, handle: UdpSocketHandle) {
    this.#parts = parts;
    this.#uplinkId = uplinkId;
    this.#handle = handle;
  }

  /** @throws NetError, MediaError, ServiceError; nothing is left open then */
  static async open(parts: Parts, uplinkId: string, settings: UplinkSettings, port: number): Promise<EncoderSocket> {
    const { media, sockets, buffers, log } = parts;
    const { listenAddress, mode, maxBitrateBps } = settings;
    const options = {
      address: listenAddress,
      port,
      dscp: DSCP,
      receiveBufferBytes: BUFFER_BYTES,
      sendBufferBytes: BUFFER_BYTES,
    };
    const handle = await sockets.open(options);
    buffers.check(options, handle);
    try {
      const init = { kind: 'uplink', options: { mode, maxBitrateBps } } as const;
      await media.open(uplinkId, [{ role: SOCKET_ROLE, handle }], init);
    } catch (error) {
      sockets.close(handle);
      // Nothing else can go wrong there.
      const isFull = error instanceof MediaError && error.code === 'command-failed';
      throw isFull ? outOfMemory(maxBitrateBps, error) : error;
    }
    const { receiveBufferBytes, sendBufferBytes } = handle;
    const facts = { uplinkId, listenAddress, listenPort: handle.port, receiveBufferBytes, sendBufferBytes };
    log.info(facts, 'an uplink takes an encoder');
    return new EncoderSocket(parts, uplinkId, handle);
  }

  get port(): number {
    return this.#handle.port;
  }

  async close(): Promise<void> {
    try {
      await this.#parts.media.close(this.#uplinkId, null);
    } catch {
      // Its thread is gone, and the session with it.
    }
    this.#parts.sockets.close(this.#handle);
  }
}

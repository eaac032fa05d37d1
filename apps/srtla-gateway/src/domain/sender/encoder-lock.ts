import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';

/** An encoder that says nothing for so long may be followed by another. */
const SILENCE_US = 2e6;

/** Whose datagrams a sender takes: the encoder that shook hands first, until it is silent and another does. */
export class EncoderLock {
  readonly current = new SocketAddress();
  /** Datagrams of others. */
  strangers = 0;
  #heardUs = -Infinity;

  /** Returns whether the datagram is the encoder's. */
  admit(from: AddressWords, isHandshake: boolean, nowUs: number): boolean {
    if (!this.current.equals(from)) {
      if (!isHandshake || nowUs - this.#heardUs < SILENCE_US) {
        this.strangers += 1;
        return false;
      }
      this.current.copyFrom(from);
    }
    this.#heardUs = nowUs;
    return true;
  }

  /** Somebody to send to. */
  get isSet(): boolean {
    return this.current.port !== 0;
  }
}

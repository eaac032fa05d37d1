import type { Logger } from '@mediaplane/control';
import { bufferShortages } from '@mediaplane/net';
import type { UdpSocketHandle, UdpSocketOptions } from '@mediaplane/net';

/** Tells each shortage of socket buffers once, with what an operator can do about it. */
export class BufferNotes {
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  check(asked: UdpSocketOptions, granted: UdpSocketHandle): void {
    for (const shortage of bufferShortages(asked, granted, process.platform)) {
      if (this.#told.has(shortage)) continue;
      this.#told.add(shortage);
      this.#log.warn({ shortage }, 'the system grants small socket buffers: packets are lost when it stalls');
    }
  }
}

/** An IP address and port as plain integers: no allocation to compare, copy or send to. IPv4 is held v4-mapped (RFC 4291 2.5.5.2). */
export interface AddressWords {
  /** The 16 address bytes as four signed 32-bit words in network order: for IPv4 `0, 0, 0xffff, a.b.c.d`. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** 0 to 65535; 0 means "not set". */
  readonly port: number;
}

/** The sources of a `PacketBatch` are five words each: w0, w1, w2, w3, port. */
export const SOURCE_WORDS = 5;

/** Whether source `index` of `PacketBatch.source` is `address`. */
export function isFrom(address: AddressWords, sources: Int32Array, index: number): boolean {
  const at = index * SOURCE_WORDS;
  return (
    sources[at + 4] === address.port &&
    sources[at + 3] === address.w3 &&
    sources[at + 2] === address.w2 &&
    sources[at + 1] === address.w1 &&
    sources[at] === address.w0
  );
}

/** A copy as plain data, to be kept or sent to another thread. */
export function plainAddress({ w0, w1, w2, w3, port }: AddressWords): AddressWords {
  return { w0, w1, w2, w3, port };
}

export function isIpv4({ w0, w1, w2 }: AddressWords): boolean {
  return w0 === 0 && w1 === 0 && w2 === 0xffff;
}

/** `AddressWords` that can be written. */
export class SocketAddress implements AddressWords {
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  port = 0;

  set(w0: number, w1: number, w2: number, w3: number, port: number): this {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.port = port;
    return this;
  }

  copyFrom(other: AddressWords): this {
    return this.set(other.w0, other.w1, other.w2, other.w3, other.port);
  }

  /** Source `index` of `PacketBatch.source`. */
  setSource(sources: Int32Array, index: number): this {
    const at = index * SOURCE_WORDS;
    return this.set(sources[at], sources[at + 1], sources[at + 2], sources[at + 3], sources[at + 4]);
  }

  equals(other: AddressWords): boolean {
    return (
      this.port === other.port &&
      this.w3 === other.w3 &&
      this.w2 === other.w2 &&
      this.w1 === other.w1 &&
      this.w0 === other.w0
    );
  }

  get isIpv4(): boolean {
    return isIpv4(this);
  }
}

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

/** An IP address and port as plain integers: no allocation to compare, copy or send to. IPv4 is held v4-mapped (RFC 4291 2.5.5.2). */
export class SocketAddress {
  /** The 16 address bytes as four signed 32-bit words in network order: for IPv4 `0, 0, 0xffff, a.b.c.d`. */
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  /** 0 to 65535; 0 means "not set". */
  port = 0;

  set(w0: number, w1: number, w2: number, w3: number, port: number): this {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.port = port;
    return this;
  }

  copyFrom(other: SocketAddress): this {
    return this.set(other.w0, other.w1, other.w2, other.w3, other.port);
  }

  equals(other: SocketAddress): boolean {
    return (
      this.port === other.port &&
      this.w3 === other.w3 &&
      this.w2 === other.w2 &&
      this.w1 === other.w1 &&
      this.w0 === other.w0
    );
  }

  get isIpv4(): boolean {
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0xffff;
  }
}

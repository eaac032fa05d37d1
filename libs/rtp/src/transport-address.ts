/**
 * An IP address and port as five integers, w0 to w3 the 16 bytes of the (v4-mapped) address: no allocation to compare or copy.
 * Fields only, so that a structured clone of it is as good.
 */
export class TransportAddress {
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  /** 0 means "not set". */
  port = 0;
}

export function setAddress(to: TransportAddress, w0: number, w1: number, w2: number, w3: number, port: number): void {
  to.w0 = w0;
  to.w1 = w1;
  to.w2 = w2;
  to.w3 = w3;
  to.port = port;
}

export function isAddress(a: TransportAddress, w0: number, w1: number, w2: number, w3: number, port: number): boolean {
  return a.port === port && isHost(a, w0, w1, w2, w3);
}

/** Whether the address is set and has that IP address, whatever the port. */
export function isHost(a: TransportAddress, w0: number, w1: number, w2: number, w3: number): boolean {
  return a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0 && a.port !== 0;
}

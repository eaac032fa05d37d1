/** For the specs beside: packets from hexadecimal, and a view that proves what a parser reads. */

export const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Allows reads of the packet only, and throws on every other, before it and behind it. */
class GuardedView extends DataView<ArrayBuffer> {
  readonly packetStart: number;
  readonly packetEnd: number;

  constructor(buffer: ArrayBuffer, packetStart: number, packetLength: number) {
    super(buffer);
    this.packetStart = packetStart;
    this.packetEnd = packetStart + packetLength;
  }

  private check(at: number, bytes: number): void {
    if (at < this.packetStart || at + bytes > this.packetEnd) throw new Error(`Read ${bytes} bytes at ${at}`);
  }

  override getUint8(at: number): number {
    this.check(at, 1);
    return super.getUint8(at);
  }

  override getUint16(at: number): number {
    this.check(at, 2);
    return super.getUint16(at);
  }

  override getUint32(at: number): number {
    this.check(at, 4);
    return super.getUint32(at);
  }

  override getInt32(at: number): number {
    this.check(at, 4);
    return super.getInt32(at);
  }
}

/** The packet at `offset` of a larger view, ones before and behind it (0xff: a range opens, everything is set). */
export function guarded(packet: Uint8Array, offset: number): DataView {
  const arena = new Uint8Array(offset + packet.length + 64).fill(0xff);
  arena.set(packet, offset);
  return new GuardedView(arena.buffer, offset, packet.length);
}

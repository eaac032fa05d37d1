import { isRetransmitted, isSrtData } from '@mediaplane/srtla';
import type { UdpPath, UdpRelay } from '@mediaplane/testkit';

/** What the modems of a bonded stream are given, before one of them dies and after. */
export class ModemTraffic {
  /** Packets of the stream that the dead one was given; not those that SRT sent again. */
  givenToDead = 0;
  /** When the last of them was, by performance.now(). */
  lastToDeadMs: number | undefined;
  private readonly modems: UdpRelay;
  private readonly packetsBefore = new Map<string, number>();
  private readonly packetsAfter = new Map<string, number>();
  private dead: UdpPath | undefined;

  constructor(modems: UdpRelay) {
    this.modems = modems;
    modems.onDatagram = (datagram, path) => this.onDatagram(datagram, path);
  }

  /** The modem of the link with this source address swallows everything from now on. Returns when that is, by performance.now(). */
  kill(address: string): number {
    this.dead = this.modems.paths.find((path) => path.address === address);
    if (this.dead === undefined) throw new Error(`nothing has come from ${address}`);
    this.dead.dead = true;
    return performance.now();
  }

  /** SRT data packets by a link while both modems lived. */
  before(address: string): number {
    return this.packetsBefore.get(address) ?? 0;
  }

  /** The same from then on, of the dead one those that it was given. */
  after(address: string): number {
    return this.packetsAfter.get(address) ?? 0;
  }

  private onDatagram(datagram: Uint8Array, path: UdpPath): void {
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
    if (!isSrtData(view, 0, datagram.length)) return;
    const packets = this.dead === undefined ? this.packetsBefore : this.packetsAfter;
    packets.set(path.address, (packets.get(path.address) ?? 0) + 1);
    if (path !== this.dead || isRetransmitted(view, 0)) return;
    this.givenToDead += 1;
    this.lastToDeadMs = performance.now();
  }
}

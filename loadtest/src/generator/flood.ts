import { SocketAddress } from '@mediaplane/net';
import type { PacketIo } from '@mediaplane/net';
import { sleepUs } from '@mediaplane/native';
import type { FloodPlan, FloodResult } from './plan.ts';
import { PACKET_BYTES, initialisePacket, writePacket } from './probe-packet.ts';

const LOOPBACK_WORD = 0x7f000001;
const V4_MAPPED_WORD = 0xffff;
const STRANGER_SSRC = 0x0f00_0000;
/** Packets that leave in one call; arena needed: this times PACKET_BYTES. */
export const FLOOD_RUN = 20;
const NAP_US = 100;

/**
 * Strangers: valid RTP at a fixed rate to one port, from sockets that the engine has never heard of. Each burst leaves as
 * one segmented send, so that the flood costs this machine less than it costs the engine.
 */
export class Flood {
  readonly #io: PacketIo;
  readonly #sockets: number;
  readonly #run: number;
  readonly #plan: FloodPlan;
  readonly #nowUs: () => number;
  readonly #to = new SocketAddress();
  #sent = 0;
  #bursts = 0;
  #lastUs: number;

  /** `runOffset`: FLOOD_RUN * PACKET_BYTES of the arena of `io`. */
  constructor(io: PacketIo, sockets: number, runOffset: number, plan: FloodPlan, nowUs: () => number) {
    this.#io = io;
    this.#sockets = sockets;
    this.#run = runOffset;
    this.#plan = plan;
    this.#nowUs = nowUs;
    this.#lastUs = plan.startUs;
    this.#to.set(0, 0, V4_MAPPED_WORD, LOOPBACK_WORD, plan.targetPort);
    for (let i = 0; i < FLOOD_RUN; i += 1) initialisePacket(io.view, runOffset + i * PACKET_BYTES);
  }

  /** Runs for `sliceUs` at the most. @returns whether it is over */
  run(sliceUs: number): boolean {
    const until = this.#nowUs() + sliceUs;
    const burstUs = (FLOOD_RUN * 1e6) / this.#plan.packetsPerSecond;
    for (;;) {
      const nowUs = this.#nowUs();
      if (nowUs >= this.#plan.endUs) return true;
      if (nowUs >= until) return false;
      if (this.#plan.startUs + this.#bursts * burstUs <= nowUs) this.#burst(nowUs);
      else sleepUs(NAP_US);
    }
  }

  #burst(nowUs: number): void {
    const stranger = this.#bursts % this.#sockets;
    for (let i = 0; i < FLOOD_RUN; i += 1) {
      const index = this.#bursts * FLOOD_RUN + i;
      writePacket(this.#io.view, this.#run + i * PACKET_BYTES, 0, index, STRANGER_SSRC + stranger, nowUs);
    }
    this.#sent += this.#io.sendRun(stranger, this.#run, PACKET_BYTES, FLOOD_RUN * PACKET_BYTES, this.#to);
    this.#bursts += 1;
    this.#lastUs = nowUs;
  }

  result(): FloodResult {
    const seconds = (this.#lastUs - this.#plan.startUs) / 1e6;
    return { sent: this.#sent, packetsPerSecond: seconds > 0 ? Math.round(this.#sent / seconds) : 0 };
  }
}

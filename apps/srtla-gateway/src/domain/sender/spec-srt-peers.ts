import { NakReader, SrtKind, acknowledgedSequence, srtKind } from '@mediaplane/srtla';
import { MS, SECOND } from './spec-world.ts';
import type { World } from './spec-world.ts';

const ACK_US = 10 * MS;
/** A gap is a loss when packets so much newer are here, at most so many (lossmaxttl), and is reported again after that long. */
const REORDER_SECONDS = 0.04;
const REORDER_PACKETS = 40;
const REPEAT_US = 100 * MS;
const R_BIT = 0x04;

export interface StreamPlan {
  readonly packetsPerSecond: number;
  readonly packetBytes: number;
  readonly latencyMs: number;
  readonly seconds: number;
}

/** An SRT encoder and its server at the ends of a world: what is lost is reported, sent again, and in time or missing. */
export class SrtPeers {
  /** Packets that were not there in time. */
  missing = 0;
  retransmitted = 0;
  readonly #world: World;
  readonly #plan: StreamPlan;
  readonly #sentUs: number[] = [];
  readonly #arrivedUs: number[] = [];
  readonly #reportedUs: number[] = [];
  readonly #naks = new NakReader();
  /** Of the server: everything below has arrived or was given up. */
  #next = 0;
  #newest = -1;
  /** Of the encoder. */
  #acknowledged = 0;

  constructor(world: World, plan: StreamPlan) {
    this.#world = world;
    this.#plan = plan;
    world.onData = (sequence, atUs) => this.#onData(sequence, atUs);
    world.onAnswer = (bytes) => this.#onAnswer(bytes);
  }

  /** Streams; `at` is told of each second before it begins. */
  run(at: (second: number) => void = () => undefined): void {
    const world = this.#world;
    const { packetsPerSecond, seconds, latencyMs } = this.#plan;
    world.shakeHands(77, latencyMs);
    world.run(100 * MS);
    world.answerHandshake(latencyMs);
    world.run(100 * MS);
    const startUs = world.nowUs;
    const endUs = startUs + seconds * SECOND + 2 * latencyMs * MS;
    for (let dueUs = startUs; dueUs < endUs; dueUs += ACK_US) world.at(dueUs, () => this.#onServerTick());
    for (let sequence = 0; sequence < seconds * packetsPerSecond; sequence += 1) {
      if (sequence % packetsPerSecond === 0) at(sequence / packetsPerSecond);
      this.#sentUs[sequence] = world.nowUs;
      world.send(sequence, 0, this.#plan.packetBytes);
      world.run(SECOND / packetsPerSecond);
    }
    world.run(2 * latencyMs * MS);
    const deadline = latencyMs * MS + Math.min(...world.wires.map(({ delayUs }) => delayUs));
    // The last gaps have nothing behind them that shows them.
    for (const [sequence, sentUs] of this.#sentUs.slice(0, -2 * REORDER_PACKETS).entries()) {
      if (!(this.#arrivedUs[sequence] <= sentUs + deadline)) this.missing += 1;
    }
  }

  #onData(sequence: number, atUs: number): void {
    this.#arrivedUs[sequence] ??= atUs;
    this.#newest = Math.max(this.#newest, sequence);
    this.#report();
  }

  #onServerTick(): void {
    const { latencyMs } = this.#plan;
    const { nowUs } = this.#world;
    while (this.#next <= this.#newest) {
      const isLate = nowUs > this.#sentUs[this.#next] + latencyMs * MS;
      if (this.#arrivedUs[this.#next] === undefined && !isLate) break;
      this.#next += 1;
    }
    this.#world.acknowledge(this.#next);
    this.#report();
  }

  /** Loss reports of all that should be here by now, each again after a while. */
  #report(): void {
    const until = this.#newest - Math.min(this.#plan.packetsPerSecond * REORDER_SECONDS, REORDER_PACKETS);
    const { nowUs } = this.#world;
    const lost: number[] = [];
    for (let at = this.#next; at <= until; at += 1) {
      if (this.#arrivedUs[at] !== undefined || nowUs - (this.#reportedUs[at] ?? -Infinity) < REPEAT_US) continue;
      this.#reportedUs[at] = nowUs;
      lost.push(at);
    }
    if (lost.length > 0) this.#world.nak(...lost.slice(0, 300));
  }

  #onAnswer(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const kind = srtKind(view, 0, bytes.length);
    if (kind === SrtKind.ack) this.#acknowledged = Math.max(this.#acknowledged, acknowledgedSequence(view, 0));
    if (kind !== SrtKind.nak) return;
    this.#naks.begin(view, 0, bytes.length);
    while (this.#naks.next()) {
      const sequence = this.#naks.first;
      const isLate = this.#world.nowUs - this.#sentUs[sequence] > this.#plan.latencyMs * MS;
      if (sequence < this.#acknowledged || isLate) continue;
      this.retransmitted += 1;
      this.#world.send(sequence, R_BIT, this.#plan.packetBytes);
    }
  }
}

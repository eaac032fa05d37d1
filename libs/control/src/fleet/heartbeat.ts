import type { Bus } from '../bus/bus.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { fleetSubject } from '../names.ts';
import { GOODBYE } from './fleet-view.ts';
import { instanceCodec } from './instance.ts';
import type { Instance } from './instance.ts';

/** Of the interval: instances that started together drift apart. */
const JITTER = 0.2;

/** Says on the fleet subject, about once an interval, what this instance is. */
export class Heartbeat {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #counters: ControlCounters;
  readonly #random: () => number;
  readonly #describe: () => Instance;
  #timer: Timer | undefined;

  constructor(bus: Bus, clock: Clock, random: () => number, counters: ControlCounters, describe: () => Instance) {
    this.#bus = bus;
    this.#clock = clock;
    this.#random = random;
    this.#counters = counters;
    this.#describe = describe;
  }

  /** Speaks now, and again after the interval: call it whenever something others should know at once has changed. */
  beat(): void {
    this.#timer?.cancel();
    const instance = this.#describe();
    this.#publish(instance, {});
    const delayMs = instance.heartbeatIntervalMs * (1 - JITTER + 2 * JITTER * this.#random());
    this.#timer = this.#clock.setTimer(() => this.beat(), delayMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#publish(this.#describe(), { [GOODBYE]: '1' });
  }

  #publish(instance: Instance, headers: Record<string, string>): void {
    this.#counters.heartbeatsSent++;
    this.#bus.publish(fleetSubject(instance.service), instanceCodec.encode(instance).finish(), headers);
  }
}

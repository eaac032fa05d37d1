import { isIpv4 } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { hashWords } from './hash.ts';

/** A rate of attempts, and how many may come at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is taken of REG1, and of REG2 with ids that nobody here knows: each costs a sealing or an opening, some 25 us. */
export interface RegistrationRates {
  /** Of one address, whatever the port. */
  readonly source: Rate;
  /** Of one network: IPv4 /24, IPv6 /56. */
  readonly network: Rate;
  /** Of all the world: forged source addresses know no bounds, and those who stream already are not to feel them. */
  readonly listener: Rate;
}

const SECOND_US = 1e6;
/** Of each row. Power of two. */
const PLACES = 4096;
const LOW_24_BITS_CLEAR = ~0xff;

/**
 * Token buckets of more holders than there is room for, in fixed memory and without allocation. A bucket is one number, when it will be
 * full again (GCRA, ITU-T I.371). Holders that fall on the same place share it; as each has two, by different hashes, and is refused
 * only when both are empty, a flood from many sources harms few others; none at all while what each place gets of it is below the rate.
 */
class BucketTable {
  readonly #fullAtUs: Float64Array;
  readonly #intervalUs: number;
  readonly #toleranceUs: number;
  readonly #mask: number;

  constructor({ perSecond, burst }: Rate, places: number) {
    this.#intervalUs = SECOND_US / perSecond;
    this.#toleranceUs = this.#intervalUs * (burst - 1);
    this.#fullAtUs = new Float64Array(2 * places).fill(-Infinity);
    this.#mask = places - 1;
  }

  has(hash: number, nowUs: number): boolean {
    const latestUs = nowUs + this.#toleranceUs;
    return this.#fullAtUs[this.#first(hash)] <= latestUs || this.#fullAtUs[this.#second(hash)] <= latestUs;
  }

  take(hash: number, nowUs: number): void {
    this.#takeAt(this.#first(hash), nowUs);
    this.#takeAt(this.#second(hash), nowUs);
  }

  #takeAt(place: number, nowUs: number): void {
    this.#fullAtUs[place] = Math.max(this.#fullAtUs[place], nowUs) + this.#intervalUs;
  }

  #first(hash: number): number {
    return hash & this.#mask;
  }

  #second(hash: number): number {
    return ((hash >>> 16) & this.#mask) + this.#mask + 1;
  }
}

/** Says whose attempts to register are taken. */
export class RegistrationLimiter {
  readonly #sources: BucketTable;
  readonly #networks: BucketTable;
  readonly #listener: BucketTable;
  readonly #seed: number;

  /** @param seed any 32-bit number; random, so that nobody can choose a source that shares another's bucket */
  constructor(rates: RegistrationRates, seed: number) {
    this.#sources = new BucketTable(rates.source, PLACES);
    this.#networks = new BucketTable(rates.network, PLACES);
    this.#listener = new BucketTable(rates.listener, 1);
    this.#seed = seed | 0;
  }

  /** Whether an attempt of that source is within all the rates; only then it counts. */
  admit(from: AddressWords, nowUs: number): boolean {
    const { w0, w1, w2, w3 } = from;
    const source = hashWords(this.#seed, w0, w1, w2, w3);
    const network = isIpv4(from)
      ? hashWords(this.#seed, w0, w1, w2, w3 & LOW_24_BITS_CLEAR)
      : hashWords(this.#seed, w0, w1 & LOW_24_BITS_CLEAR, 0, 0);
    if (!this.#sources.has(source, nowUs)) return false;
    if (!this.#networks.has(network, nowUs) || !this.#listener.has(0, nowUs)) return false;
    this.#sources.take(source, nowUs);
    this.#networks.take(network, nowUs);
    this.#listener.take(0, nowUs);
    return true;
  }
}

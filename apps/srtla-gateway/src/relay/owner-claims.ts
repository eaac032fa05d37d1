import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BusKv, Logger } from '@mediaplane/control';
import { hasCode } from '@mediaplane/control';

/** Of the bucket: a claim that is not renewed for so long is nobody's. */
export const CLAIM_TTL_MS = 60_000;
const RENEW_MS = 20_000;
const WATCH_AGAIN_MS = 1000;
const KEY_LETTERS = 32;

export interface Claim {
  readonly instanceId: string;
  /** When its SRT session came to stand there, as far as that was told; 0: none has. Of two who claim a group, the later one is right. */
  readonly streamUnixMs: number;
}

export interface OwnerClaimsOptions {
  /** A bucket of CLAIM_TTL_MS. */
  readonly kv: BusKv;
  readonly instanceId: string;
  readonly log: Logger;
}

/**
 * Who owns a group that its id names another instance for: because that is gone, or was started again under another name. One entry for
 * each such group, made by compare-and-set, so that of several takers one succeeds. Groups that live where they began have none.
 */
export class OwnerClaims implements Disposable {
  /** Told of every claim that anybody makes. */
  onClaim: (key: string, claim: Claim) => void = () => undefined;
  readonly #options: OwnerClaimsOptions;
  /** Our own, by key. */
  readonly #held = new Map<string, Claim>();
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(options: OwnerClaimsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS).unref();
    void this.#watch();
  }

  /** Who has claimed the group; undefined when nobody has. Rejects with ServiceError while the bus is away. */
  async owner(groupId: string): Promise<string | undefined> {
    const entry = await this.#options.kv.get(claimKey(groupId));
    return entry === undefined ? undefined : decode(entry.value).instanceId;
  }

  /** Claims a group that `from` has had until now; undefined: that nobody has claimed. Returns whether it is ours now. */
  async take(groupId: string, from: string | undefined): Promise<boolean> {
    const { kv, instanceId } = this.#options;
    const key = claimKey(groupId);
    const claim = { instanceId, streamUnixMs: 0 };
    try {
      if (from === undefined) {
        await kv.create(key, encode(claim));
      } else {
        const entry = await kv.get(key);
        if (entry === undefined || decode(entry.value).instanceId !== from) return false;
        await kv.update(key, encode(claim), entry.revision);
      }
    } catch (error) {
      // Another one was faster.
      if (hasCode(error, 'ALREADY_EXISTS') || hasCode(error, 'ABORTED')) return false;
      throw error;
    }
    this.#held.set(key, claim);
    return true;
  }

  /**
   * A group that this node's last instance has left is to go on. Returns false when another instance has adopted it meanwhile. While the
   * bus is away it goes on: a stream is worth more.
   */
  async resume(groupId: string, formerInstanceId: string): Promise<boolean> {
    try {
      const owner = await this.owner(groupId);
      if (owner !== undefined && owner !== formerInstanceId) return owner === this.#options.instanceId;
      return await this.take(groupId, owner);
    } catch (err) {
      this.#options.log.warn({ err }, 'a group of before goes on unclaimed: the bus is away');
      return true;
    }
  }

  /** It lives here, whatever others think. `streamUnixMs`: since then its SRT session stands. */
  async insist(groupId: string, streamUnixMs: number): Promise<void> {
    const { kv, instanceId } = this.#options;
    const key = claimKey(groupId);
    const claim = { instanceId, streamUnixMs };
    this.#held.set(key, claim);
    await kv.put(key, encode(claim));
  }

  /** Another one has it: the claim is not ours to remove. */
  yield(groupId: string): void {
    this.#held.delete(claimKey(groupId));
  }

  /** The group is over. `leave`: for the next instance on this node to take. */
  release(groupId: string, leave: boolean): void {
    const { kv, log } = this.#options;
    const key = claimKey(groupId);
    if (!this.#held.delete(key) || leave) return;
    kv.delete(key).catch((err: unknown) => log.warn({ err }, 'a claim of a group that is over is left to run out'));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#stop.abort();
  }

  async #renew(): Promise<void> {
    const { kv, log } = this.#options;
    try {
      for (const [key, claim] of this.#held) await kv.put(key, encode(claim));
    } catch (err) {
      log.warn({ err }, 'claims of groups are not renewed; it is tried again');
    }
  }

  async #watch(): Promise<void> {
    const { kv, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const change of kv.watch({ signal })) {
          if (change.kind === 'put') this.onClaim(change.entry.key, decode(change.entry.value));
        }
      } catch (err) {
        if (!signal.aborted) log.warn({ err }, 'claims of groups are not followed; it is tried again');
      }
      if (!signal.aborted) await sleep(WATCH_AGAIN_MS, undefined, { ref: false });
    }
  }
}

function encode({ instanceId, streamUnixMs }: Claim): Uint8Array {
  return Buffer.from(`${instanceId} ${streamUnixMs}`);
}

function decode(value: Uint8Array): Claim {
  const [instanceId, streamUnixMs] = Buffer.from(value).toString().split(' ');
  return { instanceId, streamUnixMs: Number(streamUnixMs) || 0 };
}

/** A group's id is a secret, and names of keys are not. */
export function claimKey(groupId: string): string {
  return createHash('sha256').update(groupId).digest('hex').slice(0, KEY_LETTERS);
}

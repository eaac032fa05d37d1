import { createHash } from 'node:crypto';
import type { BusKv, Logger } from '@mediaplane/control';
import { hasCode } from '@mediaplane/control';

/** Of the bucket: a claim that is not renewed for so long is nobody's. */
export const CLAIM_TTL_MS = 60_000;
const RENEW_MS = 20_000;
const WATCH_AGAIN_MS = 1000;
const KEY_LETTERS = 32;

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
  onClaim: (key: string, instanceId: string) => void = () => undefined;
  readonly #options: OwnerClaimsOptions;
  /** Keys of our own. */
  readonly #held = new Set<string>();
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
    return entry === undefined ? undefined : Buffer.from(entry.value).toString();
  }

  /** Claims a group that `from` has had until now; undefined: that nobody has claimed. Returns whether it is ours now. */
  async take(groupId: string, from: string | undefined): Promise<boolean> {
    const { kv, instanceId } = this.#options;
    const key = claimKey(groupId);
    try {
      if (from === undefined) {
        await kv.create(key, Buffer.from(instanceId));
      } else {
        const entry = await kv.get(key);
        if (entry === undefined || Buffer.from(entry.value).toString() !== from) return false;
        await kv.update(key, Buffer.from(instanceId), entry.revision);
      }
    } catch (error) {
      // Another one was faster.
      if (hasCode(error, 'ALREADY_EXISTS') || hasCode(error, 'ABORTED')) return false;
      throw error;
    }
    this.#held.add(key);
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

  /** It lives here, whatever others think. */
  async insist(groupId: string): Promise<void> {
    const { kv, instanceId } = this.#options;
    const key = claimKey(groupId);
    this.#held.add(key);
    await kv.put(key, Buffer.from(instanceId));
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
    const { kv, instanceId, log } = this.#options;
    try {
      for (const key of this.#held) await kv.put(key, Buffer.from(instanceId));
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
          if (change.kind === 'put') this.onClaim(change.entry.key, Buffer.from(change.entry.value).toString());
        }
      } catch (err) {
        if (!signal.aborted) log.warn({ err }, 'claims of groups are not followed; it is tried again');
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, WATCH_AGAIN_MS).unref());
    }
  }
}

/** A group's id is a secret, and names of keys are not. */
export function claimKey(groupId: string): string {
  return createHash('sha256').update(groupId).digest('hex').slice(0, KEY_LETTERS);
}

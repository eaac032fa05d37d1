import { hash } from 'node:crypto';
import type { BusKv } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { delay } from '../clock.ts';
import { asObject, asString, jsonCodec } from '../codec.ts';
import type { CallScope } from '../deadline.ts';
import { ServiceError, hasCode, hasReason } from '../errors.ts';
import { isRefusal, Refusals } from '../fleet/refusals.ts';
import { requestIdReused } from './fingerprint.ts';
import { NOT_REMEMBERED } from './result-memory.ts';

/** Who carries out the create with this request id, and its response once there is one. */
interface Claim {
  readonly instanceId: string;
  readonly fingerprint: string;
  /** base64; '' until it is known, or when it is too large to keep. */
  readonly response: string;
}

/** What a create does, told by the router. All bytes are encoded responses. */
export interface ClaimedCreate {
  readonly methodName: string;
  readonly requestId: string;
  readonly fingerprint: string;
  readonly scope: CallScope;
  /** Chooses an instance that has not refused yet; throws, as Placement does, when there is none. */
  choose(refused: Refusals): string;
  isGone(instanceId: string): boolean;
  /** Has the instance carry it out, or, if it knows the request id, repeat its answer. */
  execute(instanceId: string): Promise<Uint8Array>;
  /** Repeats the instance's answer, waiting for it if it is at work; ABORTED (NOT_REMEMBERED) if it knows nothing. */
  follow(instanceId: string): Promise<Uint8Array>;
}

const codec = jsonCodec<Claim>((value) => {
  const claim = asObject(value);
  return {
    instanceId: asString(claim['instanceId']),
    fingerprint: asString(claim['fingerprint']),
    response: asString(claim['response']),
  };
});

/** A claim whose instance knows nothing of the request for this long has lost its claimer. */
const TAKE_OVER_AFTER_MS = 1_000;
const POLL_MS = 50;
const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * A create with a request id is carried out once in the whole fleet. Whoever creates the claim leads: it names the instance in
 * the claim BEFORE asking it. Others follow: they get the stored response, or ask the named instance, which remembers what it did
 * and lets them join what it is doing. A leader that vanished before asking is replaced by compare-and-set, always with the same
 * instance unless that is gone or has refused. So two concurrent creates get the same response, not an error.
 */
export class Claims {
  readonly #kv: BusKv;
  readonly #clock: Clock;

  constructor(kv: BusKv, clock: Clock) {
    this.#kv = kv;
    this.#clock = clock;
  }

  async run(create: ClaimedCreate): Promise<{ response: Uint8Array; repeated: boolean }> {
    const key = keyOf(create);
    const refused = new Refusals();
    let watched = { revision: 0, sinceMs: 0 };
    while (!create.scope.ended) {
      const entry = await this.#kv.get(key);
      if (entry === undefined) {
        const instanceId = create.choose(refused);
        const revision = await this.#tryCreate(key, { instanceId, fingerprint: create.fingerprint, response: '' });
        if (revision === undefined) continue;
        const response = await this.#lead(create, key, instanceId, revision, refused);
        if (response !== undefined) return { response, repeated: false };
        continue;
      }
      const claim = codec.decode(entry.value);
      if (claim.fingerprint !== create.fingerprint) throw requestIdReused();
      if (claim.response !== '') return { response: Buffer.from(claim.response, 'base64'), repeated: true };
      const followed = await this.#follow(create, claim.instanceId);
      if (followed !== undefined) return { response: followed, repeated: true };
      if (watched.revision !== entry.revision) watched = { revision: entry.revision, sinceMs: this.#clock.nowMs() };
      const gone = create.isGone(claim.instanceId);
      if (!gone && this.#clock.nowMs() - watched.sinceMs < TAKE_OVER_AFTER_MS) {
        await delay(this.#clock, POLL_MS, create.scope.signal);
        continue;
      }
      const instanceId = gone ? create.choose(refused) : claim.instanceId;
      const revision = await this.#tryUpdate(key, { ...claim, instanceId }, entry.revision);
      if (revision === undefined) continue;
      const response = await this.#lead(create, key, instanceId, revision, refused);
      if (response !== undefined) return { response, repeated: false };
    }
    throw new ServiceError(
      'DEADLINE_EXCEEDED',
      'DEADLINE_EXCEEDED',
      `${create.methodName} with this request id is at work`,
    );
  }

  /** `undefined`: somebody else leads now. */
  async #lead(
    create: ClaimedCreate,
    key: string,
    chosen: string,
    claimed: number,
    refused: Refusals,
  ): Promise<Uint8Array | undefined> {
    let instanceId = chosen;
    let revision: number | undefined = claimed;
    while (revision !== undefined) {
      const claim: Claim = { instanceId, fingerprint: create.fingerprint, response: '' };
      try {
        const response = await create.execute(instanceId);
        this.#keep(key, claim, response, revision);
        return response;
      } catch (thrown) {
        if (isRefusal(thrown)) {
          refused.add(instanceId, thrown);
          instanceId = await this.#chooseAgain(create, key, refused);
          revision = await this.#tryUpdate(key, { ...claim, instanceId }, revision);
          continue;
        }
        // Nothing was done, so a repetition starts afresh. With an unknown outcome the claim stays, and it follows.
        if (!hasCode(thrown, 'UNAVAILABLE') && !hasCode(thrown, 'DEADLINE_EXCEEDED') && !hasCode(thrown, 'CANCELLED')) {
          await this.#release(key);
        }
        throw thrown;
      }
    }
    return undefined;
  }

  async #chooseAgain(create: ClaimedCreate, key: string, refused: Refusals): Promise<string> {
    try {
      return create.choose(refused);
    } catch (nobody) {
      await this.#release(key);
      throw nobody;
    }
  }

  /** Behind the caller's back: until it is written the instance's own memory answers. */
  #keep(key: string, claim: Claim, response: Uint8Array, revision: number): void {
    if (response.length > MAX_RESPONSE_BYTES) return;
    const kept = { ...claim, response: Buffer.from(response).toString('base64') };
    this.#kv.update(key, encode(kept), revision).catch(() => undefined);
  }

  async #follow(create: ClaimedCreate, instanceId: string): Promise<Uint8Array | undefined> {
    try {
      return await create.follow(instanceId);
    } catch (thrown) {
      // After a refusal the leader names another instance.
      if (hasReason(thrown, NOT_REMEMBERED) || isRefusal(thrown)) return undefined;
      throw thrown;
    }
  }

  async #tryCreate(key: string, claim: Claim): Promise<number | undefined> {
    return this.#kv.create(key, encode(claim)).catch(undefinedIf('ALREADY_EXISTS'));
  }

  async #tryUpdate(key: string, claim: Claim, revision: number): Promise<number | undefined> {
    return this.#kv.update(key, encode(claim), revision).catch(undefinedIf('ABORTED'));
  }

  async #release(key: string): Promise<void> {
    await this.#kv.delete(key).catch(() => undefined);
  }
}

function undefinedIf(code: 'ALREADY_EXISTS' | 'ABORTED'): (thrown: unknown) => undefined {
  return (thrown) => {
    if (hasCode(thrown, code)) return undefined;
    throw thrown;
  };
}

/** Request ids are the client's and may hold anything. */
function keyOf({ methodName, requestId }: ClaimedCreate): string {
  return hash('sha256', `${methodName}\0${requestId}`, 'base64url');
}

function encode(claim: Claim): Uint8Array {
  return codec.encode(claim).finish();
}

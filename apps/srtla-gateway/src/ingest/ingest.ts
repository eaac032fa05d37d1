import { createHash } from 'node:crypto';
import type { Logger } from '@mediaplane/control';
import type { AddressWords } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { redactStreamId } from '@mediaplane/srtla';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { Authorizer } from './authorizer.ts';
import type { Refusal } from './refusals.ts';
import { isRefusal } from './refusals.ts';
import type { Resolve } from './resolve.ts';
import { decide, fieldsOf, publicName } from './rules.ts';
import type { Decision } from './rules.ts';

const { IngestRefusal } = srtla;
/** An encoder that is refused comes back at once, again and again. */
const REFUSAL_KEPT_MS = 10_000;
/** For an encoder whose handshakes cross with the answer; one that starts anew is asked about anew. */
const ACCEPTANCE_KEPT_MS = 3000;
const MAX_KEPT = 10_000;
/** Shorter ones are parts of other words. */
const LEAST_SECRET_CHARACTERS = 4;

/** An encoder that wants in. */
export interface IngestRequest {
  readonly listener: srtla.Listener;
  readonly groupId: string;
  /** As it came; null when there is none. */
  readonly streamId: string | null;
  readonly source: srtla.Endpoint;
  readonly encrypted: boolean;
  readonly latencyMs: number;
}

/** Who is let in, and where its stream goes. */
export interface Accepted {
  readonly accepted: true;
  readonly server: srtla.SrtServer;
  readonly address: AddressWords;
  readonly streamName: string;
}

export type Verdict = Accepted | { readonly accepted: false; readonly refusal: Refusal; readonly text: string };

interface Kept {
  readonly verdict: Promise<Verdict>;
  untilMs: number;
}

/** Decides who may publish, by the rules of its listener, and remembers it for a moment. No stream id leaves here but to whom a rule asks. */
export class Ingest {
  readonly #authorizer: Pick<Authorizer, 'ask'>;
  readonly #resolve: Resolve;
  readonly #log: Logger;
  /** By group and stream id, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #tracer = trace.getTracer('mediaplane');
  /** Since the start. */
  asked = 0;
  failures = 0;

  constructor(authorizer: Pick<Authorizer, 'ask'>, resolve: Resolve, log: Logger) {
    this.#authorizer = authorizer;
    this.#resolve = resolve;
    this.#log = log;
  }

  /** Never rejects: whoever cannot be asked about is refused. */
  judge(request: IngestRequest): Promise<Verdict> {
    const key = `${request.groupId}.${createHash('sha256')
      .update(request.streamId ?? '')
      .digest('base64')}`;
    const known = this.#kept.get(key);
    if (known !== undefined && performance.now() < known.untilMs) return known.verdict;
    const kept: Kept = { verdict: this.#judge(request), untilMs: Infinity };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    void kept.verdict.then(({ accepted }) => {
      kept.untilMs = performance.now() + (accepted ? ACCEPTANCE_KEPT_MS : REFUSAL_KEPT_MS);
      this.#forgetOld();
    });
    return kept.verdict;
  }

  /** Where every stream of a listener goes, where no rules are asked: to `current`, while that is right. Rejects with ServiceError. */
  async fixed(listener: srtla.Listener, current?: AddressWords): Promise<Accepted | undefined> {
    const policy = listener.settings?.ingest?.policy;
    if (policy?.$case !== 'fixed') return undefined;
    const address = await this.#resolve(policy.value, current);
    return { accepted: true, server: policy.value, address, streamName: listener.settings?.name ?? '' };
  }

  #judge(request: IngestRequest): Promise<Verdict> {
    const attributes = {
      'media.listener.name': request.listener.settings?.name ?? '',
      'media.session.id': request.groupId,
      'media.stream.id.redacted': request.streamId === null ? '' : redactStreamId(request.streamId),
    };
    return this.#tracer.startActiveSpan('srtla ingest', { attributes }, async (span) => {
      const verdict = await this.#decide(request).catch((error: unknown): Verdict => {
        this.failures += 1;
        const text = withoutSecrets(error instanceof Error ? error.message : String(error), request.streamId);
        this.#log.warn({ groupId: request.groupId, text }, 'an encoder is refused, for nobody could decide');
        span.setStatus({ code: SpanStatusCode.ERROR, message: text });
        return { accepted: false, refusal: IngestRefusal.UNAVAILABLE, text };
      });
      span.setAttribute('media.ingest.accepted', verdict.accepted);
      span.end();
      return verdict;
    });
  }

  async #decide(request: IngestRequest): Promise<Verdict> {
    const { settings } = request.listener;
    const policy = settings?.ingest?.policy;
    if (settings === undefined || policy?.$case !== 'rules') throw new Error('the listener has no rules');
    const decision = decide(policy.value, request.streamId, settings.name);
    return this.#found(decision.kind === 'ask' ? await this.#ask(request, decision) : decision);
  }

  async #ask(
    request: IngestRequest,
    { callback, streamName }: Extract<Decision, { kind: 'ask' }>,
  ): Promise<Exclude<Decision, { kind: 'ask' }>> {
    const { listener, streamId } = request;
    const fields = fieldsOf(streamId);
    this.asked += 1;
    const { verdict } = await this.#authorizer.ask(callback, {
      listenerId: listener.listenerId,
      listenerName: listener.settings?.name ?? '',
      labels: listener.settings?.labels ?? {},
      groupId: request.groupId,
      streamId: streamId ?? '',
      resource: fields?.resource ?? '',
      user: fields?.user ?? '',
      session: fields?.session ?? '',
      source: request.source,
      encrypted: request.encrypted,
      latencyMs: request.latencyMs,
    });
    if (verdict?.$case === 'refuse') {
      const refusal = isRefusal(verdict.value) ? verdict.value : IngestRefusal.FORBIDDEN;
      return { kind: 'refuse', refusal, text: 'the callback refuses it' };
    }
    const server = verdict?.value.server;
    if (server === undefined) throw new Error('the callback named neither a server nor a refusal');
    return { kind: 'accept', server, streamName: publicName(verdict?.value.streamName ?? '', null, streamName) };
  }

  async #found(decision: Exclude<Decision, { kind: 'ask' }>): Promise<Verdict> {
    if (decision.kind === 'refuse') return { accepted: false, refusal: decision.refusal, text: decision.text };
    const { server, streamName } = decision;
    try {
      return { accepted: true, server, address: await this.#resolve(server), streamName };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { accepted: false, refusal: IngestRefusal.BAD_GATEWAY, text };
    }
  }

  #forgetOld(): void {
    const nowMs = performance.now();
    for (const [key, { untilMs }] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && untilMs > nowMs) break;
      this.#kept.delete(key);
    }
  }
}

/** What somebody else says of a stream id may repeat it. */
function withoutSecrets(text: string, streamId: string | null): string {
  const fields = fieldsOf(streamId);
  const { resource, user, session, host } = fields ?? { resource: null, user: null, session: null, host: null };
  return [streamId, resource, user, session, host, ...(fields?.other.values() ?? [])]
    .filter((secret) => secret !== null && secret.length >= LEAST_SECRET_CHARACTERS)
    .reduce<string>((left, secret) => left.replaceAll(secret ?? '', '…'), text);
}

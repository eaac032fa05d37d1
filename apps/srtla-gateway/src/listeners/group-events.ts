import type { Logger } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { redactStreamId } from '@mediaplane/srtla';
import { trace } from '@opentelemetry/api';
import type { GroupDownReason } from '../domain/receiver/receiver-parts.ts';
import type { GroupEvent } from '../media/listener-contract.ts';
import { rejectionReason, refusalOf } from '../ingest/refusals.ts';
import type { Accepted, Ingest, Verdict } from '../ingest/ingest.ts';
import { endpoint, sameEndpoint } from './endpoint.ts';
import { FixedServers } from './fixed-servers.ts';
import { GroupLog } from './group-log.ts';
import type { GroupRecords } from './group-records.ts';
import { LiveGroup } from './live-group.ts';
import type { LiveListener } from './live-listener.ts';
import { END_REASONS, END_REASON_NAMES, LINK_DOWN_REASONS, STREAM_ENDS } from './reasons.ts';
import type { EventDetail, SessionEvents } from './session-events.ts';
import type { ListenerMedia, Upstreams } from './upstreams.ts';

const { EndReason, GroupState } = srtla;
const tracer = trace.getTracer('mediaplane');

type Of<T extends GroupEvent['type']> = Extract<GroupEvent, { type: T }>;

export interface GroupEventsParts {
  readonly instanceId: string;
  newGroupId(): string;
  readonly media: ListenerMedia;
  readonly upstreams: Upstreams;
  readonly ingest: Ingest;
  readonly sessions: SessionEvents;
  readonly records: GroupRecords;
  readonly log: Logger;
  onGroupUp(): void;
  /** `leave`: what is stored of it stays. */
  onGroupDown(group: LiveGroup, reason: string, leave: boolean): void;
  /** `unanswered`: the SRT server says nothing. */
  onIngest(outcome: 'accepted' | 'refused' | 'unanswered'): void;
}

/** What media threads tell of a listener's groups, turned into what the API tells, and what the control side does about it. */
export class GroupEvents {
  readonly #parts: GroupEventsParts;
  readonly #fixedServers: FixedServers;
  readonly #groupLog: GroupLog;

  constructor(parts: GroupEventsParts) {
    this.#parts = parts;
    const { ingest, log } = parts;
    this.#groupLog = new GroupLog(log);
    this.#fixedServers = new FixedServers({ ingest, log, connect: (group, verdict) => this.#connect(group, verdict) });
  }

  handle(listener: LiveListener, event: GroupEvent): void {
    if (event.type === 'group-up') return this.#groupUp(listener, event);
    const group = listener.groups.get(event.group);
    if (group === undefined) return;
    switch (event.type) {
      case 'group-down':
        return this.#groupDown(group, event.reason);
      case 'link-up':
        return this.#linkUp(group, event);
      case 'link-down':
        return this.#linkDown(group, event);
      case 'late-link-refused':
        return this.#publish(group, { $case: 'linkRefused', value: { address: endpoint(event.address) } });
      case 'ingest-request':
        return this.#ingestRequest(group, event);
      case 'ingest-accepted':
        return this.#ingestAccepted(group, event);
      case 'ingest-refused':
        return this.#ingestRefused(group, event);
      case 'ingest-ended':
        return this.#ingestEnded(group, event);
      case 'ingest-unanswered':
        this.#groupLog.unanswered(group);
        return this.#parts.onIngest('unanswered');
    }
  }

  /** A group ends without its media thread saying so. `leave`: what is stored of it stays, for who takes over. */
  end(group: LiveGroup, reason: srtla.EndReason, leave: boolean): void {
    if (group.isOver) return;
    const { sessions, records, upstreams, onGroupDown } = this.#parts;
    if (leave) records.put(group);
    group.isOver = true;
    const { groups, resuming } = group.listener;
    if (groups.get(group.serial) === group) groups.delete(group.serial);
    if (resuming.get(group.key) === group) resuming.delete(group.key);
    group.record.state = GroupState.ENDED;
    const last: srtla.Group = { ...group.record, statistics: group.rates.latest };
    const reasonText = group.asked?.text ?? '';
    sessions.end(group, { $case: 'groupDown', value: { reason, reasonText, group: last } });
    if (!leave) records.remove(group);
    this.#groupLog.ended(group, reason, last);
    onGroupDown(group, END_REASON_NAMES[reason] ?? 'unspecified', leave);
    void group.turns.run(() => upstreams.release(group)).finally(() => group.ended.resolve());
  }

  /** The same, and nobody may come back with its id. */
  endForGood(group: LiveGroup, reason: srtla.EndReason): void {
    this.end(group, reason, false);
    group.listener.rememberEnded(group.key);
    this.#parts.records.bury(group, Date.now());
  }

  #groupUp(listener: LiveListener, { group: serial, id: key, resumed }: Of<'group-up'>): void {
    const group = listener.resuming.get(key) ?? this.#newGroup(listener, key);
    listener.resuming.delete(key);
    group.serial = serial;
    listener.groups.set(serial, group);
    if (!group.announced) {
      this.#record(group);
      this.#publish(group, { $case: 'groupUp', value: { group: { ...group.record }, resumed } });
      this.#parts.onGroupUp();
    }
    if (group.upstream !== undefined) void this.#goOn(group);
    else this.#fixedServers.seek(group);
  }

  #newGroup(listener: LiveListener, key: string): LiveGroup {
    const record = srtla.Group.fromPartial({
      groupId: this.#parts.newGroupId(),
      instanceId: this.#parts.instanceId,
      listenerId: listener.id,
      listenerName: listener.name,
      state: GroupState.REGISTERED,
      createTime: new Date(),
      labels: listener.labels,
    });
    return new LiveGroup(listener, key, record, Date.now());
  }

  /** With the socket that it had before, or another in its place. */
  async #goOn(group: LiveGroup): Promise<void> {
    const { upstreams, sessions, media, log, records } = this.#parts;
    try {
      await group.turns.run(() => upstreams.reattach(group));
      const { moved, upstream } = group;
      if (moved === undefined || upstream === undefined) return records.put(group);
      group.moved = undefined;
      this.#groupLog.moved(group, moved);
      const value = { formerUpstream: moved.former, upstream: group.record.upstream, cause: moved.cause };
      sessions.publish(group, { $case: 'groupMoved', value });
      await media.command(group.listener.mediaId, 'endStream', { group: group.serial });
    } catch (err) {
      if (!group.isOver) log.error({ err, groupId: group.id }, 'a group that was to go on cannot reach its server');
    }
  }

  async #connect(group: LiveGroup, verdict: Accepted): Promise<void> {
    if (group.isOver) return;
    await this.#parts.upstreams.connect(group, verdict.address);
    group.streamName = verdict.streamName;
    group.record.server = verdict.server;
    this.#record(group);
  }

  #ingestRequest(group: LiveGroup, event: Of<'ingest-request'>): void {
    const { ingest, log } = this.#parts;
    group.request = event.request;
    const request = {
      listener: group.listener.record,
      groupId: group.id,
      streamId: event.streamId,
      source: endpoint(event.address),
      encrypted: event.isEncrypted,
      latencyMs: event.latencyMs,
    };
    const answer = async (): Promise<void> => {
      const verdict = await ingest.judge(request);
      await group.turns.run(() => this.#answer(group, event.request, verdict));
    };
    answer().catch((err: unknown) => {
      if (!group.isOver) log.error({ err, groupId: group.id }, 'a verdict did not reach the media thread');
    });
  }

  async #answer(group: LiveGroup, request: number, verdict: Verdict): Promise<void> {
    if (group.isOver || group.request !== request) return;
    const { media, log } = this.#parts;
    let refusal = verdict.accepted ? undefined : verdict.refusal;
    group.refusal = verdict.accepted ? '' : verdict.text;
    if (verdict.accepted) {
      try {
        await this.#connect(group, verdict);
      } catch (err) {
        log.warn({ err, groupId: group.id }, 'no way to the SRT server');
        refusal = srtla.IngestRefusal.BAD_GATEWAY;
        group.refusal = 'no way to the SRT server';
      }
    }
    const reason = refusal === undefined ? null : rejectionReason(refusal);
    await media.command(group.listener.mediaId, 'verdict', { group: group.serial, request, reason });
  }

  #ingestAccepted(group: LiveGroup, event: Of<'ingest-accepted'>): void {
    const { records, onIngest } = this.#parts;
    const { callerSocketId, serverSocketId, latencyMs } = event;
    group.stream = { callerSocketId, serverSocketId, latencyMs };
    const { record } = group;
    record.state = GroupState.STREAMING;
    record.streamName = group.streamName === '' ? group.listener.name : group.streamName;
    record.streamIdRedacted = redacted(event.streamId);
    record.latencyMs = latencyMs;
    record.encrypted = event.isEncrypted;
    record.streamTime = new Date();
    group.seenUnixMs = Date.now();
    this.#record(group);
    records.put(group);
    onIngest('accepted');
    this.#publish(group, { $case: 'groupStreaming', value: { group: { ...record } } });
    this.#groupLog.streamStands(group);
    traceSetup(group, event.setupMs);
  }

  #ingestRefused(group: LiveGroup, event: Of<'ingest-refused'>): void {
    const { onIngest } = this.#parts;
    const value: srtla.IngestRefused = {
      refusal: refusalOf(event.reason),
      rejection: event.reason,
      streamIdRedacted: redacted(event.streamId),
      byServer: event.by === 'server',
      text: event.by === 'gateway' ? 'nobody decided, or no server answered, in time' : group.refusal,
      address: endpoint(event.address),
    };
    group.refusal = '';
    onIngest('refused');
    this.#publish(group, { $case: 'ingestRefused', value });
    this.#groupLog.refused(group, value, event.by);
  }

  #ingestEnded(group: LiveGroup, { by }: Of<'ingest-ended'>): void {
    this.#groupLog.streamEnded(group, by);
    group.stream = null;
    group.record.state = GroupState.REGISTERED;
    this.#parts.records.remove(group);
    this.#record(group);
    this.#publish(group, { $case: 'groupStreamEnded', value: { group: { ...group.record }, by: STREAM_ENDS[by] } });
    this.#fixedServers.seek(group);
  }

  #linkUp(group: LiveGroup, { address: words, joinedLate, relayedBy: by }: Of<'link-up'>): void {
    const relayedBy = by ?? '';
    const address = endpoint(words);
    const { record } = group;
    if (record.links.some((link) => sameEndpoint(link.address, address))) return;
    record.links = [...record.links, { address, upTime: new Date(), joinedLate, relayedBy }];
    this.#changed(group);
    if (joinedLate) this.#publish(group, { $case: 'linkJoined', value: { address, relayedBy } });
    else this.#publish(group, { $case: 'linkUp', value: { address, linkName: '', relayedBy } });
  }

  #linkDown(group: LiveGroup, { address: words, reason, relayedBy: by }: Of<'link-down'>): void {
    const address = endpoint(words);
    const { record } = group;
    record.links = record.links.filter((link) => !sameEndpoint(link.address, address));
    this.#changed(group);
    const value = { address, linkName: '', reason: LINK_DOWN_REASONS[reason], relayedBy: by ?? '' };
    this.#publish(group, { $case: 'linkDown', value });
  }

  #groupDown(group: LiveGroup, why: GroupDownReason): void {
    const reason = group.asked?.reason ?? END_REASONS[why];
    // With its listener nobody is left to come back to.
    if (why === 'kicked' && reason !== EndReason.LISTENER_ENDED) this.endForGood(group, reason);
    else this.end(group, reason, false);
  }

  #changed(group: LiveGroup): void {
    this.#record(group);
    this.#parts.records.put(group);
  }

  #record(group: LiveGroup): void {
    this.#parts.sessions.record(group, { $case: 'group', value: group.record });
  }

  #publish(group: LiveGroup, detail: EventDetail): void {
    this.#parts.sessions.publish(group, detail);
  }
}

/** Who let it in, where rules did, has a span of its own within this one's time. */
function traceSetup({ id, listener, record }: LiveGroup, setupMs: number): void {
  const endTime = Date.now();
  const attributes = {
    'media.listener.name': listener.name,
    'media.session.id': id,
    'media.stream.name': record.streamName,
    'media.srt.latency_ms': record.latencyMs,
  };
  tracer.startSpan('srtla set-up', { startTime: endTime - setupMs, attributes }).end(endTime);
}

function redacted(streamId: string | null): string {
  return streamId === null ? '' : redactStreamId(streamId);
}

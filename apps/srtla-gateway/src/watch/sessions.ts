import type { Directory, DirectoryEntry } from '@mediaplane/control';
import { parseSessionId, requireSessionId, ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import type { SessionFilter } from '@mediaplane/service';
import { lastIdOf, pageSize, pageToken, parseFilter } from '@mediaplane/service';

interface SessionsOfKind {
  readonly listener: srtla.Listener;
  readonly group: srtla.Group;
  readonly uplink: srtla.Uplink;
}

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter: string;
}

const MAX_SESSION_IDS = 1000;
const DEFAULT_HEARTBEAT_MS = 10_000;
const MIN_HEARTBEAT_MS = 1000;
const MAX_HEARTBEAT_MS = 60_000;

/** A page of the fleet's directory, of sessions of one kind, in order of id. `scope` is what else narrows the list, for the token. */
export async function listSessions<K extends keyof SessionsOfKind>(
  directory: Directory<srtla.SrtlaSession>,
  kind: K,
  request: PageRequest,
  scope = '',
  wanted: (session: SessionsOfKind[K]) => boolean = () => true,
): Promise<{ sessions: SessionsOfKind[K][]; nextPageToken: string }> {
  const size = pageSize(request.pageSize);
  const matches = parseFilter(request.filter);
  const query = `${kind}\n${scope}\n${request.filter}`;
  const after = lastIdOf(request.pageToken, query);
  const sessions: SessionsOfKind[K][] = [];
  let lastId = '';
  for await (const { sessionId, instanceId, record } of directory.walk(after)) {
    const session = ofKind(record, kind);
    if (session === undefined || !matches(labelsOf(record), instanceId) || !wanted(session)) continue;
    if (sessions.length === size) return { sessions, nextPageToken: pageToken(lastId, query) };
    sessions.push(session);
    lastId = sessionId;
  }
  return { sessions, nextPageToken: '' };
}

function ofKind<K extends keyof SessionsOfKind>(
  { session }: srtla.SrtlaSession,
  kind: K,
): SessionsOfKind[K] | undefined {
  const sessions: { readonly [Each in keyof SessionsOfKind]?: SessionsOfKind[Each] } =
    session === undefined ? {} : { [session.$case]: session.value };
  return sessions[kind];
}

export function labelsOf({ session }: srtla.SrtlaSession): Readonly<Record<string, string>> {
  switch (session?.$case) {
    case 'group':
      return session.value.labels;
    case 'listener':
    case 'uplink':
      return session.value.settings?.labels ?? {};
    default:
      return {};
  }
}

export interface WatchRequest {
  readonly ids: readonly string[];
  /** The request's field of `ids`. */
  readonly idsField: string;
  readonly kinds: readonly string[];
  readonly filter: string;
  readonly resumeToken: string;
  readonly heartbeatMs: number;
}

/** What `Events.watch` wants to know. @throws ServiceError INVALID_ARGUMENT */
export function watchOptions(request: WatchRequest, signal: AbortSignal) {
  const { ids, idsField, kinds, heartbeatMs, resumeToken } = request;
  if (ids.length > MAX_SESSION_IDS) {
    throw ServiceError.invalidField(idsField, `must have at most ${MAX_SESSION_IDS}, has ${ids.length}`);
  }
  ids.forEach((id, i) =>
    requireSessionId(`${idsField}[${i}]`, id, kinds.find((kind) => id.startsWith(`${kind}_`)) ?? kinds[0]),
  );
  if (heartbeatMs !== 0 && (heartbeatMs < MIN_HEARTBEAT_MS || heartbeatMs > MAX_HEARTBEAT_MS)) {
    const allowed = `must be 0 or ${MIN_HEARTBEAT_MS} to ${MAX_HEARTBEAT_MS} ms, is ${heartbeatMs}`;
    throw ServiceError.invalidField('heartbeat_ms', allowed);
  }
  const matches = parseFilter(request.filter);
  return {
    resumeToken: resumeToken === '' ? undefined : resumeToken,
    sessionIds: ids,
    filter: wantedBy(kinds, matches),
    heartbeatMs: heartbeatMs === 0 ? DEFAULT_HEARTBEAT_MS : heartbeatMs,
    signal,
  };
}

type Item =
  | { readonly kind: 'session'; readonly sessionId: string; readonly record: srtla.SrtlaSession }
  | { readonly kind: 'event'; readonly sessionId: string; readonly event: srtla.SrtlaEvent };

function wantedBy(kinds: readonly string[], matches: SessionFilter): (item: Item) => boolean {
  return (item) => {
    const id = parseSessionId(item.sessionId);
    if (id === undefined || !kinds.includes(id.kind)) return false;
    // The reporter of a lost session is a survivor; the filter means the owner.
    return matches(item.kind === 'session' ? labelsOf(item.record) : item.event.labels, id.instanceId);
  };
}

/** The last event of a session whose instance was lost, told by a survivor, who knows what the directory knew. */
export function lostEvent(
  { sessionId, record }: DirectoryEntry<srtla.SrtlaSession>,
  reporter: string,
): srtla.SrtlaEvent {
  return {
    eventId: `${sessionId}.lost`,
    sessionId,
    eventTime: new Date(),
    sequence: 0,
    instanceId: reporter,
    labels: labelsOf(record),
    detail: lastWords(record),
  };
}

function lastWords({ session }: srtla.SrtlaSession): srtla.SrtlaEvent['detail'] {
  const reason = srtla.EndReason.INSTANCE_LOST;
  const state = srtla.GroupState.ENDED;
  switch (session?.$case) {
    case 'group':
      return { $case: 'groupDown', value: { reason, reasonText: '', group: { ...session.value, state } } };
    case 'uplink':
      return { $case: 'uplinkClosed', value: { reason, uplink: session.value } };
    default:
      return { $case: 'listenerClosed', value: { reason } };
  }
}

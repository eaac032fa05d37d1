import type { LiveListener } from './live-listener.ts';
import type { SessionEvents } from './session-events.ts';

/** A survivor has ended these in the eyes of the fleet. Streams are worth more than their ids: they go on with new ones. */
export function renew(
  listeners: Iterable<LiveListener>,
  sessionIds: ReadonlySet<string>,
  newId: (kind: 'listener' | 'group') => string,
  sessions: Pick<SessionEvents, 'record' | 'publish'>,
): void {
  for (const listener of listeners) {
    const { record } = listener;
    if (sessionIds.has(listener.id)) {
      record.formerListenerId = listener.id;
      record.listenerId = listener.id = newId('listener');
      listener.sequence = 0;
      sessions.record(listener, { $case: 'listener', value: record });
      sessions.publish(listener, { $case: 'listenerOpened', value: { listener: { ...record } } });
    }
    for (const group of listener.groups.values()) {
      group.record.listenerId = listener.id;
      if (!sessionIds.has(group.id)) continue;
      group.record.formerGroupId = group.id;
      group.record.groupId = group.id = newId('group');
      group.sequence = 0;
      sessions.record(group, { $case: 'group', value: group.record });
      sessions.publish(group, { $case: 'groupUp', value: { group: { ...group.record }, resumed: true } });
    }
  }
}

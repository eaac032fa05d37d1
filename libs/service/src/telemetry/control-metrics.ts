import type { ControlCounters } from '@mediaplane/control';
import { defineMetrics } from './metric-definition.ts';
import type { Metrics } from './metrics.ts';

/** What the control plane counts. */
export const CONTROL_METRICS = defineMetrics({
  leaseRenewals: {
    name: 'media.lease.renewals',
    unit: '{renewal}',
    description: 'Attempts to renew the lease of this instance.',
    kind: 'counter',
    attributes: ['outcome'],
  },
  declaredLost: {
    name: 'media.fleet.instances.lost',
    unit: '{instance}',
    description: 'Instances that this one declared lost.',
    kind: 'counter',
    attributes: [],
  },
  sessionsLost: {
    name: 'media.fleet.sessions.lost',
    unit: '{session}',
    description: 'Sessions ended because their instance was lost: declared by this one, or its own as an orphan.',
    kind: 'counter',
    attributes: ['side'],
  },
  calls: {
    name: 'media.control.calls',
    unit: '{call}',
    description: 'Calls by what became of them: handled here, forwarded, refused for overload, answered from memory.',
    kind: 'counter',
    attributes: ['outcome'],
  },
  records: {
    name: 'media.directory.records',
    unit: '{record}',
    description: 'Directory records written, removed, or spared because their session had ended before.',
    kind: 'counter',
    attributes: ['operation'],
  },
  writeFailures: {
    name: 'media.directory.write.failures',
    unit: '{write}',
    description: 'Writes to the directory or the event stream that failed and were tried again.',
    kind: 'counter',
    attributes: [],
  },
  events: {
    name: 'media.events',
    unit: '{event}',
    description: 'Session events published, and dropped because too many waited.',
    kind: 'counter',
    attributes: ['outcome'],
  },
  watchersTooSlow: {
    name: 'media.watch.evictions',
    unit: '{stream}',
    description: 'Watch streams ended because their reader lagged too far behind.',
    kind: 'counter',
    attributes: [],
  },
});

export function registerControlMetrics(metrics: Metrics, counters: ControlCounters): void {
  const m = CONTROL_METRICS;
  metrics.observe(m.leaseRenewals, () => [
    [counters.leaseRenewals, { outcome: 'renewed' }],
    [counters.leaseRenewFailures, { outcome: 'failed' }],
  ]);
  metrics.observe(m.declaredLost, () => counters.instancesDeclaredLost);
  metrics.observe(m.sessionsLost, () => [
    [counters.sessionsDeclaredLost, { side: 'survivor' }],
    [counters.sessionsOrphaned, { side: 'orphan' }],
  ]);
  metrics.observe(m.calls, () => [
    [counters.callsLocal, { outcome: 'local' }],
    [counters.callsForwarded, { outcome: 'forwarded' }],
    [counters.callsRefused, { outcome: 'refused' }],
    [counters.callsOverdue, { outcome: 'overdue' }],
    [counters.callsRepeated, { outcome: 'repeated' }],
  ]);
  metrics.observe(m.records, () => [
    [counters.recordsWritten, { operation: 'written' }],
    [counters.recordsRemoved, { operation: 'removed' }],
    [counters.recordsCoalesced, { operation: 'coalesced' }],
  ]);
  metrics.observe(m.writeFailures, () => counters.writeFailures);
  metrics.observe(m.events, () => [
    [counters.eventsPublished, { outcome: 'published' }],
    [counters.eventsDropped, { outcome: 'dropped' }],
  ]);
  metrics.observe(m.watchersTooSlow, () => counters.watchersTooSlow);
}

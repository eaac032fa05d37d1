/** Plain numbers that only grow; telemetry reads them when it collects. */
export interface ControlCounters {
  heartbeatsSent: number;
  leaseRenewals: number;
  leaseRenewFailures: number;
  /** Instances that this one declared lost, and their sessions. */
  instancesDeclaredLost: number;
  sessionsDeclaredLost: number;
  /** Sessions of this instance closed because it had been declared lost itself. */
  sessionsOrphaned: number;
  callsLocal: number;
  callsForwarded: number;
  /** Calls the overload gate turned away. */
  callsRefused: number;
  /** Handlers still at work at their deadline: they have lost their place in the gate. */
  callsOverdue: number;
  /** Mutations answered from memory because their request id was known. */
  callsRepeated: number;
  recordsWritten: number;
  recordsRemoved: number;
  /** Sessions that ended before their record was written. */
  recordsCoalesced: number;
  eventsPublished: number;
  eventsDropped: number;
  writeFailures: number;
  watchersTooSlow: number;
}

export function makeCounters(): ControlCounters {
  return {
    heartbeatsSent: 0,
    leaseRenewals: 0,
    leaseRenewFailures: 0,
    instancesDeclaredLost: 0,
    sessionsDeclaredLost: 0,
    sessionsOrphaned: 0,
    callsLocal: 0,
    callsForwarded: 0,
    callsRefused: 0,
    callsOverdue: 0,
    callsRepeated: 0,
    recordsWritten: 0,
    recordsRemoved: 0,
    recordsCoalesced: 0,
    eventsPublished: 0,
    eventsDropped: 0,
    writeFailures: 0,
    watchersTooSlow: 0,
  };
}

import { ControlPlane } from '@mediaplane/control';
import type { CommonConfig } from '../config/common-config.ts';
import { checkHealth, peerCredentials } from '../grpc/health-probe.ts';
import { mediaAddresses } from './addresses.ts';
import { Drain } from './drain.ts';
import type { Foundation } from './foundation.ts';
import type { SessionTypes } from './service-spec.ts';

/** How long another instance may take to prove that it lives. */
const PROBE_TIMEOUT_MS = 1_000;

/** An instance in its fleet: the control plane, its drain, and what both mean for callers. */
export interface Membership<Rec, Ev> {
  readonly plane: ControlPlane<Rec, Ev>;
  readonly drain: Drain;
  /** What the instance announces of itself; the servers add theirs when they listen. */
  readonly addresses: Record<string, string>;
  /** Takes new sessions. */
  serving(): boolean;
}

/** Joins the fleet. `onServing` is called whenever the answer of `serving` may have changed. */
export async function joinFleet<Rec, Ev>(
  spec: SessionTypes<Rec, Ev> & { readonly name: string; readonly kind: string; readonly version: string },
  foundation: Foundation,
  onServing: (serving: boolean) => void,
): Promise<Membership<Rec, Ev>> {
  const { config, instanceId, bus, tenant, loopLag, log } = foundation;
  const addresses = mediaAddresses(config);
  // Before the tenant is there the answer is no, whatever the rest says, and the rest may not be there either.
  const serving = (): boolean => tenant.present && drain.state === 'serving' && plane.state === 'SERVING';
  const plane = await ControlPlane.start<Rec, Ev>({
    service: spec.name,
    kind: spec.kind,
    instanceId,
    bus,
    zone: config.instance.zone,
    addresses,
    version: spec.version,
    capacity: () => tenant.capacity(),
    load: () => tenant.load(),
    record: spec.record,
    event: spec.event,
    lostEvent: (lost) => spec.lostEvent(lost, instanceId),
    onOrphaned: (sessionIds) => tenant.closeOrphans(sessionIds),
    onStateChange: () => onServing(serving()),
    probe: ({ instanceId: suspect, addresses: { grpc: address } }) => isAlive(suspect, address, config),
    loopLagMs: () => loopLag.meanMs,
    logger: log,
    limits: {
      leaseTtlMs: config.leaseTtlMs,
      orphanGraceMs: config.orphanGraceMs,
      loopLagTargetMs: config.capacity.loopLagTargetMs,
      maxConcurrentCalls: config.capacity.maxConcurrentCalls,
      eventMaxAgeMs: config.bus.eventMaxAgeMs,
      eventMaxBytes: config.bus.eventMaxBytes,
    },
  });
  const drain = new Drain({
    sessions: () => tenant.sessions(),
    closeAll: () => tenant.closeAll(),
    onState: (state) => {
      if (state === 'serving') plane.undrain();
      else plane.drain();
      tenant.onDrain(state !== 'serving');
      onServing(serving());
    },
    log,
  });
  return { plane, drain, addresses, serving };
}

/** Asks by id: another may have taken over the address since. Credentials are read each time, because certificates rotate. */
async function isAlive(instanceId: string, address: string | undefined, config: CommonConfig): Promise<boolean> {
  if (address === undefined) return false;
  return (await checkHealth(address, instanceId, PROBE_TIMEOUT_MS, peerCredentials(config.grpc))) === 'SERVING';
}

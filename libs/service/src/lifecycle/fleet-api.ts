import type { InstanceStatus, Route } from '@mediaplane/control';
import { ServiceError } from '@mediaplane/control';
import { FleetServiceDefinition, Instance, InstanceState } from '@mediaplane/proto';
import type { NetworkInterface } from '@mediaplane/proto';
import { defineApi } from '../grpc/api.ts';
import type { Api, Handlers } from '../grpc/api.ts';
import type { Drain } from './drain.ts';
import { filteredInstances, instancePage } from './instance-list.ts';

const MAX_GRACE_MS = 86_400_000;
const MAX_REASON_CHARACTERS = 256;

export interface FleetApiOptions {
  readonly instanceId: string;
  /** Every instance of the service that was heard of lately. */
  instances(): readonly InstanceStatus[];
  /** This one, as it is now. */
  self(): InstanceStatus;
  readonly drain: Drain;
  readonly drainGraceMs: number;
}

/** `mediaplane.fleet.v1.FleetService`, the same for every service. */
export function fleetApi(options: FleetApiOptions): Api<FleetServiceDefinition> {
  const { drain } = options;
  const self = (): Instance => {
    const instance = describeInstance(options.self());
    const status = drain.status();
    if (drain.state === 'stopping') instance.state = InstanceState.STOPPING;
    if (status === undefined) return instance;
    const { startUnixMs, deadlineUnixMs, reason } = status;
    return { ...instance, drain: { startTime: new Date(startUnixMs), deadlineTime: new Date(deadlineUnixMs), reason } };
  };
  const named = <R extends { readonly instanceId: string }>(): Extract<Route<R>, { kind: 'instance' }> => ({
    kind: 'instance',
    field: 'instance_id',
    instanceId: (request) => request.instanceId,
  });

  const handlers: Handlers<FleetServiceDefinition> = {
    listInstances: {
      route: { kind: 'local' },
      handler: (request) => {
        const all = options
          .instances()
          .map((member) => (member.instanceId === options.instanceId ? self() : describeInstance(member)));
        return instancePage(filteredInstances(all, request.filter), request.pageSize, request.pageToken);
      },
    },
    getInstance: { route: named(), handler: () => ({ instance: self() }) },
    drainInstance: {
      route: named(),
      requestId: (request) => request.requestId,
      handler: ({ graceMs = options.drainGraceMs, reason }) => {
        if (graceMs < 0 || graceMs > MAX_GRACE_MS)
          throw ServiceError.invalidField('grace_ms', `must be 0 to ${MAX_GRACE_MS}`);
        if (reason.length > MAX_REASON_CHARACTERS) {
          throw ServiceError.invalidField('reason', `must have at most ${MAX_REASON_CHARACTERS} characters`);
        }
        drain.drain(graceMs, reason === '' ? 'DrainInstance' : reason);
        return { instance: self() };
      },
    },
    undrainInstance: {
      route: named(),
      requestId: (request) => request.requestId,
      handler: () => {
        drain.undrain();
        return { instance: self() };
      },
    },
  };
  return defineApi(FleetServiceDefinition, handlers, { busPrefix: 'Fleet' });
}

/** Keys of `addresses` in a heartbeat: `grpc`, `admin`, `host`, and two for each network interface. */
export const ADVERTISED = 'advertised.';
export const PRIVATE = 'private.';

export function describeInstance(member: InstanceStatus): Instance {
  const { addresses } = member;
  const interfaces = Object.keys(addresses)
    .filter((key) => key.startsWith(ADVERTISED))
    .map((key) => key.slice(ADVERTISED.length))
    .map((name): NetworkInterface => ({
      name,
      advertisedAddress: addresses[ADVERTISED + name] ?? '',
      privateAddress: addresses[PRIVATE + name] ?? '',
    }));
  return Instance.fromPartial({
    instanceId: member.instanceId,
    service: member.service,
    state: stateOf(member),
    version: member.version,
    zone: member.zone,
    hostName: addresses['host'] ?? '',
    grpcAddress: addresses['grpc'] ?? '',
    adminAddress: addresses['admin'] ?? '',
    capacity: { maxSessions: member.capacity.limit, sessions: member.capacity.used, load: member.load },
    interfaces,
    startTime: new Date(member.startedAtUnixMs),
    epoch: member.epoch,
    heartbeatTime: new Date(Date.now() - member.lastSeenMsAgo),
  });
}

/** An instance announces its gRPC address when it begins to serve. */
function stateOf({ away, state, addresses }: InstanceStatus): InstanceState {
  if (away) return InstanceState.AWAY;
  if (state === 'DRAINING') return InstanceState.DRAINING;
  return addresses['grpc'] === undefined ? InstanceState.STARTING : InstanceState.SERVING;
}

import { asNumber, asObject, asString, jsonCodec } from '../codec.ts';

export type InstanceState = 'SERVING' | 'DRAINING';

/** Sessions: how many this instance may hold, and how many it holds. */
export interface Capacity {
  readonly limit: number;
  readonly used: number;
}

/** What an instance says of itself in each heartbeat. */
export interface Instance {
  readonly instanceId: string;
  readonly service: string;
  readonly zone: string;
  /** By purpose: `grpc`, `media`, ... */
  readonly addresses: Readonly<Record<string, string>>;
  readonly version: string;
  readonly state: InstanceState;
  readonly capacity: Capacity;
  /** 0 (idle) to 1 (full), of whatever binds first; placement prefers the lower. */
  readonly load: number;
  /** Raised each time the instance takes its lease anew. */
  readonly epoch: number;
  readonly startedAtUnixMs: number;
  readonly heartbeatIntervalMs: number;
}

export const instanceCodec = jsonCodec<Instance>((value) => {
  const record = asObject(value);
  const capacity = asObject(record['capacity']);
  const addresses = Object.entries(asObject(record['addresses'])).map(([name, address]) => [name, asString(address)]);
  return {
    instanceId: asString(record['instanceId']),
    service: asString(record['service']),
    zone: asString(record['zone']),
    addresses: Object.fromEntries(addresses),
    version: asString(record['version']),
    state: record['state'] === 'SERVING' ? 'SERVING' : 'DRAINING',
    capacity: { limit: asNumber(capacity['limit']), used: asNumber(capacity['used']) },
    load: asNumber(record['load'], 1),
    epoch: asNumber(record['epoch']),
    startedAtUnixMs: asNumber(record['startedAtUnixMs']),
    heartbeatIntervalMs: asNumber(record['heartbeatIntervalMs'], 1000),
  };
});

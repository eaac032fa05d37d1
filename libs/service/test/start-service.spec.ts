import { afterEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import type { BusStream, StreamOptions } from '@mediaplane/control';
import { FleetServiceDefinition, InstanceState } from '@mediaplane/proto';
import { checkHealth, createClient, startService } from '../src/index.ts';
import type { RunningService } from '../src/index.ts';
import { ToySessions, toySpec } from './toy-app.ts';

const started: RunningService[] = [];
const start = async (bus = new EmbeddedBus(), values: Record<string, unknown> = {}): Promise<RunningService> => {
  const quiet = { grpc: { port: 0 }, admin: { port: 0 }, log: { level: 'silent' } };
  const service = await startService(toySpec, { bus, sources: { values: { ...quiet, ...values } } });
  started.push(service);
  return service;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.stop('end of test', 0)));
});
const page = async (service: RunningService, path: string): Promise<[number, string]> => {
  const response = await fetch(`http://${service.adminAddress}${path}`);
  return [response.status, await response.text()];
};

describe('one instance', () => {
  test('serves FleetService, health, metrics and its status', async () => {
    const service = await start();
    using fleet = createClient(FleetServiceDefinition, service.grpcAddress);
    const { instances } = await fleet.listInstances({});
    expect(instances).toHaveLength(1);
    expect(instances[0]).toMatchObject({
      instanceId: service.instanceId,
      service: 'toy',
      state: InstanceState.SERVING,
      version: '1.2.3',
      grpcAddress: service.grpcAddress,
      adminAddress: service.adminAddress,
      capacity: { sessions: 0 },
      interfaces: [{ name: 'default', advertisedAddress: '127.0.0.1', privateAddress: '127.0.0.1' }],
    });
    expect(instances[0].capacity?.maxSessions).toBeGreaterThan(0);
    for (const name of ['', 'mediaplane.fleet.v1.FleetService', 'mediaplane.toy.v1.ToyService', service.instanceId]) {
      expect(await checkHealth(service.grpcAddress, name, 2000)).toBe('SERVING');
    }
    expect(await checkHealth(service.grpcAddress, 'somebody-else', 2000)).toBe('SERVICE_UNKNOWN');
    expect(await page(service, '/readyz')).toEqual([200, 'ok\n']);
    expect(JSON.parse((await page(service, '/'))[1])).toMatchObject({
      service: 'toy',
      state: 'serving',
      bus: { system: 'in_process', state: 'connected' },
      toys: 0,
    });
    const [, metrics] = await page(service, '/metrics');
    expect(metrics).toContain(
      'rpc_server_call_duration_seconds_count{rpc_method="mediaplane.fleet.v1.FleetService/ListInstances",rpc_response_status_code="OK"} 1',
    );
    expect(metrics).toContain('media_fleet_instances{media_instance_state="serving"} 1');
  });

  test('its health is the health of what it runs', async () => {
    const service = await start();
    expect(await page(service, '/healthz')).toEqual([200, 'ok\n']);
    service.app.get(ToySessions).ill = 'media thread 1 is stalled';
    expect(await page(service, '/healthz')).toEqual([503, 'media thread 1 is stalled\n']);
  });

  test('lets sessions go on until the grace period ends, then closes them', async () => {
    const service = await start(new EmbeddedBus(), { toy: { openAtStart: 2 }, drainGraceMs: 200 });
    const sessions = service.app.get(ToySessions);
    const stopped = service.stop('test');
    expect(sessions.open).toBe(2);
    expect(await checkHealth(service.grpcAddress, '', 2000)).toBe('NOT_SERVING');
    expect(await page(service, '/readyz')).toEqual([503, 'stopping\n']);
    await stopped;
    expect(sessions.closedAtShutdown).toBe(2);
    await expect(checkHealth(service.grpcAddress, '', 500)).rejects.toThrow();
  });
});

describe('stop', () => {
  test('a further call hastens it, and a longer grace does not slow it down again', async () => {
    const service = await start(new EmbeddedBus(), { toy: { openAtStart: 2 } });
    const stopped = service.stop('SIGTERM', 600_000);
    const hastened = service.stop('SIGTERM', 0);
    const late = service.stop('SIGTERM', 600_000);
    await Promise.all([stopped, hastened, late]);
    expect(service.app.get(ToySessions).closedAtShutdown).toBe(2);
  });
});

describe('configuration of the bus', () => {
  class WatchedBus extends EmbeddedBus {
    readonly streams: StreamOptions[] = [];
    override stream(name: string, options: StreamOptions): BusStream {
      this.streams.push(options);
      return super.stream(name, options);
    }
  }

  test('events are kept as long as configured', async () => {
    const bus = new WatchedBus();
    await start(bus, { bus: { eventMaxAgeMs: 120_000, eventMaxBytes: 2_000_000 } });
    expect(bus.streams[0]).toMatchObject({ maxAgeMs: 120_000, maxBytes: 2_000_000 });
  });
});

describe('several instances in one process', () => {
  test('any of them drains any other', async () => {
    const bus = new EmbeddedBus();
    const [a, b] = [await start(bus), await start(bus)];
    using fleet = createClient(FleetServiceDefinition, a.grpcAddress);
    const drained = await fleet.drainInstance({ instanceId: b.instanceId, graceMs: 60_000, reason: 'maintenance' });
    expect(drained.instance).toMatchObject({ instanceId: b.instanceId, state: InstanceState.DRAINING });
    expect(drained.instance?.drain?.reason).toBe('maintenance');
    expect(await checkHealth(b.grpcAddress, '', 2000)).toBe('NOT_SERVING');
    expect(await checkHealth(a.grpcAddress, '', 2000)).toBe('SERVING');
    const { instances } = await fleet.listInstances({ filter: 'state = DRAINING' });
    expect(instances.map((instance) => instance.instanceId)).toEqual([b.instanceId]);

    const back = await fleet.undrainInstance({ instanceId: b.instanceId });
    expect(back.instance).toMatchObject({ state: InstanceState.SERVING, drain: undefined });
    expect(await checkHealth(b.grpcAddress, '', 2000)).toBe('SERVING');
  });

  test('bad requests name the field and change nothing', async () => {
    const service = await start();
    using fleet = createClient(FleetServiceDefinition, service.grpcAddress);
    const { instanceId } = service;
    const refused = (field: string) => ({ code: 'INVALID_ARGUMENT', fieldViolations: [{ field }] });
    await expect(fleet.drainInstance({ instanceId, graceMs: -1 })).rejects.toMatchObject(refused('grace_ms'));
    await expect(fleet.getInstance({ instanceId: 'not an id' })).rejects.toMatchObject(refused('instance_id'));
    await expect(fleet.listInstances({ filter: 'nonsense' })).rejects.toMatchObject(refused('filter'));
    await expect(fleet.getInstance({ instanceId: 'nobody' })).rejects.toMatchObject({ reason: 'INSTANCE_UNKNOWN' });
    expect((await fleet.getInstance({ instanceId })).instance?.state).toBe(InstanceState.SERVING);
  });
});

test('a start that fails leaves nothing behind', async () => {
  const bus = new EmbeddedBus();
  const first = await start(bus);
  const taken = Number(first.adminAddress.split(':')[1]);
  await expect(start(bus, { admin: { port: taken } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  using fleet = createClient(FleetServiceDefinition, first.grpcAddress);
  const { instances } = await fleet.listInstances({ filter: 'state = SERVING' });
  expect(instances.map((instance) => instance.instanceId)).toEqual([first.instanceId]);
});

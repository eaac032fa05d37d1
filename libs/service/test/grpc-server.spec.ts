import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Client, credentials, status } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import { ReadRecordingResponse } from '@mediaplane/proto';
import { createClient } from '../src/grpc/client.ts';
import { checkHealth } from '../src/grpc/health-probe.ts';
import { Toy, ToyDefinition } from './toy-service.ts';

const healthOf = (address: string, name: string): Promise<string> => checkHealth(address, name, 2000);
const run = promisify(execFile);
const bufScript = fileURLToPath(new URL('../../../node_modules/@bufbuild/buf/bin/buf', import.meta.url));

const rejection = async (promise: Promise<unknown>): Promise<ServiceError> => {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof ServiceError)) throw new Error(`not a ServiceError: ${String(thrown)}`);
  return thrown;
};

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe('unary calls', () => {
  test('carry typed messages and are timed', async () => {
    await using toy = await new Toy({}).listen();
    using client = createClient(ToyDefinition, toy.address);
    const { instance } = await client.getInstance({ instanceId: 'abc' });
    expect(instance?.instanceId).toBe('abc');
    expect(toy.durations).toEqual([
      {
        seconds: expect.any(Number),
        attributes: { 'rpc.method': 'mediaplane.fleet.v1.FleetService/GetInstance', 'rpc.response.status_code': 'OK' },
      },
    ]);
  });

  test('an error of ours arrives with reason, fields, retry delay and metadata', async () => {
    await using toy = await new Toy({
      getInstance: () => {
        throw new ServiceError('RESOURCE_EXHAUSTED', 'NO_CAPACITY', 'all full', {
          fieldViolations: [{ field: 'settings.remote', description: 'must be set' }],
          retryAfterMs: 1250,
          metadata: { zone: 'a' },
        });
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    const error = await rejection(client.getInstance({}));
    expect(error).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'NO_CAPACITY',
      message: 'all full',
      fieldViolations: [{ field: 'settings.remote', description: 'must be set' }],
      retryAfterMs: 1250,
      metadata: { zone: 'a' },
    });
    expect(toy.logged).toEqual([]);
  });

  test('a bug of ours is logged once, and the caller gets a reference instead of the message', async () => {
    await using toy = await new Toy({
      getInstance: () => {
        throw new TypeError('secret detail');
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    const error = await rejection(client.getInstance({}));
    expect(error.code).toBe('INTERNAL');
    expect(error.message).not.toContain('secret');
    expect(toy.logged).toHaveLength(1);
    expect(toy.logged[0]).toMatchObject({
      reference: error.metadata?.['reference'],
      err: { message: 'secret detail' },
    });
  });

  test('the deadline reaches the handler, and its passing aborts it', async () => {
    const aborted = Promise.withResolvers<void>();
    await using toy = await new Toy({
      getInstance: async (_request, { signal }) => {
        await once(signal, 'abort');
        aborted.resolve();
        throw new ServiceError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', 'too late');
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    const startedMs = performance.now();
    const error = await rejection(client.getInstance({}, { timeoutMs: 200 }));
    expect(error.code).toBe('DEADLINE_EXCEEDED');
    await aborted.promise;
    expect(toy.router.contexts[0].deadlineMs - startedMs).toBeLessThanOrEqual(5000);
  });

  test('cancelling aborts the handler', async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    await using toy = await new Toy({
      getInstance: async (_request, { signal }) => {
        started.resolve();
        await once(signal, 'abort');
        aborted.resolve();
        return { instance: undefined };
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    const abort = new AbortController();
    const answer = rejection(client.getInstance({}, { signal: abort.signal }));
    await started.promise;
    abort.abort();
    expect((await answer).code).toBe('CANCELLED');
    await aborted.promise;
  });

  test('bytes that are no message, and numbers beyond 2^53, are the caller’s fault', async () => {
    await using toy = await new Toy({}).listen();
    const client = new Client(toy.address, credentials.createInsecure());
    const send = (bytes: Buffer): Promise<number | undefined> =>
      new Promise((resolve) => {
        const path = '/mediaplane.fleet.v1.FleetService/GetInstance';
        const same = (raw: Buffer): Buffer => raw;
        client.makeUnaryRequest(path, same, same, bytes, (error) => resolve(error?.code));
      });
    expect(await send(Buffer.from([0x0a, 0xff, 0x01]))).toBe(status.INVALID_ARGUMENT);
    expect(await send(Buffer.from([0xff]))).toBe(status.INVALID_ARGUMENT);
    expect(await send(Buffer.alloc(0))).toBeUndefined();
    client.close();
    using reader = createClient(ToyDefinition, toy.address);
    const beyond = reader.readRecording({ offsetBytes: 2 ** 60 });
    expect((await rejection(collect(beyond))).code).toBe('INVALID_ARGUMENT');
    expect(toy.logged).toEqual([]);
  });

  test('a request above the limit is refused', async () => {
    await using toy = await new Toy({}, { maxMessageBytes: 4096 }).listen();
    using client = createClient(ToyDefinition, toy.address);
    expect((await rejection(client.getInstance({ instanceId: 'x'.repeat(5000) }))).code).toBe('RESOURCE_EXHAUSTED');
  });
});

describe('server streams', () => {
  const piece = (bytes: number) => ReadRecordingResponse.fromPartial({ data: new Uint8Array(bytes) });

  test('arrive in order and end', async () => {
    await using toy = await new Toy({
      readRecording: async function* () {
        for (let i = 0; i < 100; i += 1) yield ReadRecordingResponse.fromPartial({ offsetBytes: i });
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    const offsets = (await collect(client.readRecording({}))).map((response) => response.offsetBytes);
    expect(offsets).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('a slow caller slows the source, and one that leaves ends it', async () => {
    let produced = 0;
    const ended = Promise.withResolvers<void>();
    await using toy = await new Toy({
      readRecording: async function* () {
        try {
          for (;;) {
            produced += 1;
            yield piece(65_536);
          }
        } finally {
          ended.resolve();
        }
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    for await (const response of client.readRecording({})) {
      expect(response.data).toHaveLength(65_536);
      // The source is endless: without backpressure it would never let this loop take its second turn.
      if (produced > 1) break;
    }
    await ended.promise;
    expect(produced).toBeLessThan(1000);
  });

  test('an error after some responses has its details', async () => {
    await using toy = await new Toy({
      readRecording: async function* () {
        yield piece(1);
        throw new ServiceError('OUT_OF_RANGE', 'RESUME_TOKEN_TOO_OLD', 'too old');
      },
    }).listen();
    using client = createClient(ToyDefinition, toy.address);
    expect(await rejection(collect(client.readRecording({})))).toMatchObject({
      code: 'OUT_OF_RANGE',
      reason: 'RESUME_TOKEN_TOO_OLD',
    });
  });
});

describe('what stands beside the API', () => {
  test('health per service, NOT_SERVING when told so', async () => {
    await using toy = await new Toy({}).listen();
    expect(await healthOf(toy.address, '')).toBe('SERVING');
    expect(await healthOf(toy.address, ToyDefinition.fullName)).toBe('SERVING');
    toy.server.setServing(false);
    expect(await healthOf(toy.address, ToyDefinition.fullName)).toBe('NOT_SERVING');
  });

  test('a bearer token is asked for, but not by health', async () => {
    await using toy = await new Toy({}, { bearerToken: 'sesame' }).listen();
    for (const bearerToken of [undefined, 'sesamE', '']) {
      using client = createClient(ToyDefinition, toy.address, { bearerToken });
      expect(await rejection(client.getInstance({}))).toMatchObject({
        code: 'UNAUTHENTICATED',
        reason: 'TOKEN_REFUSED',
      });
    }
    using client = createClient(ToyDefinition, toy.address, { bearerToken: 'sesame' });
    await client.getInstance({});
    expect(await healthOf(toy.address, '')).toBe('SERVING');
  });

  test('reflection serves an independent client, which calls by JSON', async () => {
    await using toy = await new Toy({}).listen();
    const url = `http://${toy.address}/mediaplane.fleet.v1.FleetService/GetInstance`;
    const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '-d', '{"instanceId":"abc"}', url];
    const { stdout } = await run(process.execPath, [bufScript, ...args]);
    expect(JSON.parse(stdout)).toMatchObject({ instance: { instanceId: 'abc' } });
  });

  test('without reflection it is not there', async () => {
    await using toy = await new Toy({}, { reflection: false }).listen();
    const url = `http://${toy.address}/mediaplane.fleet.v1.FleetService/GetInstance`;
    const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '-d', '{}', url];
    await expect(run(process.execPath, [bufScript, ...args])).rejects.toMatchObject({ code: 1 });
  });
});

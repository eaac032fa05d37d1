import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { EmbeddedBus, ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { tempFolder } from '@mediaplane/testkit';
import { pino } from 'pino';
import { TestAuthorizer } from '../../test/support/authorizer.ts';
import { addressWords } from '../listeners/endpoint.ts';
import { Authorizer } from './authorizer.ts';
import { Ingest } from './ingest.ts';
import type { IngestRequest } from './ingest.ts';

const SECRET = '#!::r=live/s3cr3t-key,u=alice';

const listener = srtla.Listener.fromPartial({
  settings: {
    name: 'main',
    ingest: {
      policy: {
        $case: 'rules',
        value: {
          rules: [
            { then: { action: { $case: 'callback', value: { target: { $case: 'busSubject', value: 'auth' } } } } },
          ],
        },
      },
    },
  },
});

function request(streamId: string): IngestRequest {
  const source = { address: '192.0.2.1', port: 4000 };
  return { listener, groupId: 'gr_a_1', streamId, source, encrypted: false, latencyMs: 200 };
}

describe('a callback', () => {
  test('that fails with the stream id in its words leaves none of it in the log', async () => {
    const lines: string[] = [];
    const bus = new EmbeddedBus();
    const ask = async (): Promise<never> => {
      throw new ServiceError('INTERNAL', 'DATABASE', `no row for ${SECRET}: live/s3cr3t-key of alice`);
    };
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const ingest = new Ingest({ ask }, async () => addressWords({ address: '192.0.2.9', port: 1 }), log);
    expect(await ingest.judge(request(SECRET))).toMatchObject({ accepted: false });
    expect(lines.join()).toContain('no row for');
    expect(lines.join()).not.toMatch(/s3cr3t|alice/);
    await bus.close();
  });

  test('is not asked with files that cannot be read: that is said at the start', () => {
    const bus = new EmbeddedBus();
    const options = { bus, timeoutMs: 100, caFile: '', tokenFile: '' };
    expect(() => new Authorizer({ ...options, tokenFile: '/nowhere/token' })).toThrow(/ingest.callbackTokenFile/);
    expect(() => new Authorizer({ ...options, caFile: '/nowhere/ca.pem' })).toThrow(/ingest.callbackCaFile/);
  });
});

test('the token that callbacks get is the one in the file now', async () => {
  await using folder = await tempFolder('token');
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, 'first\n');
  await using server = await TestAuthorizer.start(() => ({ verdict: undefined }));
  const bus = new EmbeddedBus();
  using authorizer = new Authorizer({ bus, timeoutMs: 2000, caFile: '', tokenFile });
  const ask = () =>
    authorizer.ask(
      { target: { $case: 'grpcTarget', value: server.target } },
      srtla.AuthorizeIngestRequest.fromPartial({}),
    );
  await ask();
  await writeFile(tokenFile, 'second\n');
  await ask();
  expect(server.tokens).toEqual(['Bearer first', 'Bearer second']);
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../src/grpc/client.ts';
import { clientCredentials } from '../src/grpc/credentials.ts';
import { Toy, ToyDefinition } from './toy-service.ts';

let folder = '';
const file = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
};

/** A throw-away authority, a server and a client certificate signed by it. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mediaplane-tls-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(file('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const serverTls = (clientCaFile: string) => ({
  tls: { certFile: file('server.pem'), keyFile: file('server.key'), clientCaFile },
});
const call = async (toy: Toy, channel: ChannelCredentials): Promise<string> => {
  using client = createClient(ToyDefinition, toy.address, { credentials: channel });
  const { instance } = await client.getInstance({ instanceId: 'abc' }, { timeoutMs: 3000 });
  return instance?.instanceId ?? '';
};

describe('TLS', () => {
  test('clients that trust the authority get in, plain text does not', async () => {
    await using toy = await new Toy({}, serverTls('')).listen();
    expect(await call(toy, clientCredentials({ caFile: file('ca.pem') }))).toBe('abc');
    await expect(call(toy, credentials.createInsecure())).rejects.toMatchObject({ name: 'ServiceError' });
  });

  test('with a client authority, only certificates it signed get in', async () => {
    await using toy = await new Toy({}, serverTls(file('ca.pem'))).listen();
    const ca = { caFile: file('ca.pem') };
    const withCertificate = clientCredentials({ ...ca, certFile: file('client.pem'), keyFile: file('client.key') });
    expect(await call(toy, withCertificate)).toBe('abc');
    await expect(call(toy, clientCredentials(ca))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('a client that trusts another authority stays out', async () => {
    await using toy = await new Toy({}, serverTls('')).listen();
    await expect(call(toy, clientCredentials({ caFile: file('client.pem') }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  test('files of a client that cannot be used are refused by name', () => {
    expect(() => clientCredentials({ caFile: file('none.pem') })).toThrow(/^configuration: caFile = ".*none\.pem"/);
    expect(() => clientCredentials({ certFile: file('client.pem') })).toThrow(/certFile and keyFile/);
    expect(() => clientCredentials({ certFile: file('ca.pem'), keyFile: file('client.key') })).toThrow(/PEM files/);
  });

  test('a file that is missing stops the start by name', async () => {
    const toy = new Toy({}, { tls: { certFile: file('none.pem'), keyFile: file('server.key'), clientCaFile: '' } });
    await expect(toy.listen()).rejects.toThrow(
      /^configuration: grpc\.tls\.certFile = ".*none\.pem": must be a readable file/,
    );
  });
});

import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { startRtpChannel } from '@mediaplane/rtp-channel';
import type { RunningService } from '@mediaplane/service';
import { tempFolder } from '@mediaplane/testkit';
import type { TempFolder } from '@mediaplane/testkit';
import { demonstrateCall } from '../src/demonstration.ts';
import { Progress } from '../src/progress.ts';

const CALL = fileURLToPath(new URL('../src/call/main.ts', import.meta.url));
const TOKEN = 'let-me-in';
const run = promisify(execFile);

/** A service that wants TLS, a certificate of its clients, and a token; one that wants no certificate. */
let folder: TempFolder;
let strict: RunningService;
let service: RunningService;
const bus = new EmbeddedBus();
const file = (name: string): string => join(folder.path, name);

/** A throw-away authority, and certificates signed by it. */
function makeCertificates(...names: string[]): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder.path, stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  writeFileSync(file('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const name of names) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
  }
}

function start(clientCaFile: string): Promise<RunningService> {
  const tls = { certFile: file('server.pem'), keyFile: file('server.key'), clientCaFile };
  const values = {
    grpc: { port: 0, tls, bearerTokenFile: file('token') },
    admin: { port: 0 },
    media: { threads: 1 },
    // The tests run on the same event loop: what they do there is no load of the service.
    capacity: { loopLagTargetMs: 5000 },
    files: { recordingsFolder: file('recordings') },
  };
  return startRtpChannel({ bus, sources: { values }, logTo: { write: () => undefined } });
}

beforeAll(async () => {
  folder = await tempFolder('standalone-tls');
  makeCertificates('server', 'client');
  writeFileSync(file('token'), `${TOKEN}\n`);
  [strict, service] = await Promise.all([start(file('ca.pem')), start('')]);
}, 30_000);
afterAll(async () => {
  await Promise.all([strict, service].map((each) => each.stop('the tests are over', 0)));
  await bus.close();
  await folder.remove();
});

/** What `npm run call` prints, or how it failed. */
const call = ({ grpcAddress }: RunningService, args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', CALL, ...args, '--address', grpcAddress], {
    env: { ...process.env, ...env },
  });

test('our client gets in with the authority and the token, as an option or from the environment', async () => {
  const trust = ['--tls-ca', file('ca.pem')];
  const opened = await call(service, ['open', '--json', ...trust, '--token', TOKEN]);
  const { channelId } = JSON.parse(opened.stdout).channel;
  const fromEnvironment = { MEDIAPLANE_GRPC_BEARER_TOKEN: TOKEN };
  expect((await call(service, ['close', channelId, ...trust], fromEnvironment)).stdout).toContain('requested');
  await expect(call(service, ['list', ...trust])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('UNAUTHENTICATED'),
  });
  // The authority is not one that everybody knows; and plain text.
  for (const way of [['--tls'], []]) {
    await expect(call(service, ['list', ...way], fromEnvironment)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nobody answers'),
    });
  }
  const known = { ...fromEnvironment, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: file('ca.pem') };
  expect((await call(service, ['list', '--tls'], known)).stdout).toContain('no channels');
}, 30_000);

test('our client shows its certificate to a service that asks for one', async () => {
  const trust = ['--tls-ca', file('ca.pem'), '--token', TOKEN];
  const own = ['--tls-cert', file('client.pem'), '--tls-key', file('client.key')];
  expect((await call(strict, ['list', ...trust, ...own])).stdout).toContain('no channels');
  await expect(call(strict, ['list', ...trust])).rejects.toMatchObject({ code: 1 });
  await expect(call(strict, ['list', ...trust, ...own.slice(0, 2)])).rejects.toMatchObject({
    code: 64,
    stderr: expect.stringContaining('must be set together'),
  });
}, 30_000);

test('the call of npm start goes through a service with TLS and a token', async () => {
  using progress = new Progress({ write: () => true, isTTY: false }, 1);
  const demonstrate = (tlsCa?: string) =>
    demonstrateCall(service, file('recordings'), 'call-with-tls', tlsCa, progress);
  const { ok, lines } = await demonstrate(file('ca.pem'));
  expect(lines.filter((line) => line.includes('✗'))).toEqual([]);
  expect(ok).toBe(true);
  const { lines: refused } = await demonstrate();
  expect(refused).toEqual([expect.stringMatching(/the call broke off: .*unable to verify/)]);
}, 60_000);

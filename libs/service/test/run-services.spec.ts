import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { freePort, startNatsServer } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';

const toyMain = fileURLToPath(new URL('toy-app.ts', import.meta.url));

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** Starts the toy as a process of its own, as an operator would. */
function toy(env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [toyMain, ...args], {
    env: { PATH: process.env['PATH'], MEDIAPLANE_GRPC_PORT: '0', MEDIAPLANE_ADMIN_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { child, exited, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
}

type Line = Record<string, unknown>;
async function until(lines: AsyncIterator<string>, message: string): Promise<Line> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const line: Line = JSON.parse(next.value);
    if (line['msg'] === message) return line;
  }
  throw new Error(`the process ended without saying "${message}"`);
}

test('a bad configuration ends the start with one line and its own status', async () => {
  for (const [env, args, expected] of [
    [
      { MEDIAPLANE_GRPC_PORT: '70000' },
      [],
      'configuration: grpc.port = 70000 (from MEDIAPLANE_GRPC_PORT): must be 0 to 65535\n',
    ],
    [
      { MEDIAPLANE_NET_INTERFACES: '[{"name":"a","bindAddress":"999.1.1.1"}]' },
      [],
      /^configuration: net\.interfaces = [^\n]+ \(from MEDIAPLANE_NET_INTERFACES\): interfaces\[0\]\.bindAddress = "999\.1\.1\.1": must be an IP address\n$/,
    ],
    [
      { MEDIAPLANE_NET_RTP_PORT_MIN: '20001', MEDIAPLANE_NET_RTP_PORT_MAX: '20002' },
      [],
      /^configuration: net\.rtpPortMax = 20002 [^\n]+: must leave a pair of ports from net\.rtpPortMin, 20001, on\n$/,
    ],
    [
      { MEDIAPLANE_GRPC_BIND_ADDRESS: '203.0.113.99' },
      [],
      /configuration: grpc\.port = 0: must be free, and [^\n]+\n$/,
    ],
    [{}, ['--colour'], /^command line: [^\n]+ \(known: --config <file>\)\n$/],
    [{}, ['--config', '/nowhere.yaml'], /^configuration file \/nowhere\.yaml: [^\n]+\n$/],
  ] as const) {
    const { child, exited } = toy(env, ...args);
    const errors = (await child.stderr.toArray()).join('');
    expect(await exited).toBe(78);
    expect(errors).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  }
});

test('SIGTERM drains and ends with status 0', async () => {
  const { child, exited, lines } = toy({});
  expect(await until(lines, 'serving')).toMatchObject({ service: 'toy', bus: 'in_process', version: '1.2.3' });
  child.kill('SIGTERM');
  await until(lines, 'stopped');
  expect(await exited).toBe(0);
});

test('a second signal closes what is left at once', async () => {
  const { child, exited, lines } = toy({ MEDIAPLANE_TOY_OPEN_AT_START: '3', MEDIAPLANE_DRAIN_GRACE_MS: '3600000' });
  await until(lines, 'serving');
  child.kill('SIGTERM');
  expect(await until(lines, 'stopping')).toMatchObject({ reason: 'SIGTERM', sessions: 3 });
  child.kill('SIGINT');
  await until(lines, 'stopped');
  expect(await exited).toBe(0);
});

test('a process that ends by an exception or an exit leaves no line unwritten', async () => {
  const logger = new URL('../src/log/logger.ts', import.meta.url).href;
  for (const [end, status] of [
    ['throw new Error("broken")', 1],
    ['process.exit(3)', 3],
  ] as const) {
    const script = `
      const { createLogger } = await import(${JSON.stringify(logger)});
      const log = createLogger({ level: 'info', format: 'json' }, {});
      setTimeout(() => { log.info('last words'); ${end}; });
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.add(child);
    const exited = once(child, 'exit');
    const [line] = (await child.stdout.toArray()).join('').split('\n');
    expect(JSON.parse(line)).toMatchObject({ msg: 'last words' });
    expect(await exited).toEqual([status, null]);
  }
});

describeIf('nats-server', 'NATS at start', () => {
  test('NATS that is not there yet is waited for, and the start goes on when it is', async () => {
    const port = await freePort();
    const { exited, lines } = toy({ MEDIAPLANE_BUS_NATS_URL: `nats://127.0.0.1:${port}` });
    await until(lines, 'cannot reach NATS yet');
    await using nats = await startNatsServer({ port });
    expect(await until(lines, 'serving')).toMatchObject({ bus: 'nats' });
    for (const child of children) child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(nats.pid).toBeGreaterThan(0);
  });
});

test('NATS that stays away ends the start with one line', async () => {
  const natsUrl = `nats://127.0.0.1:${await freePort()}`;
  const { child, exited } = toy({ MEDIAPLANE_BUS_NATS_URL: natsUrl, MEDIAPLANE_BUS_CONNECT_TIMEOUT_MS: '100' });
  const errors = (await child.stderr.toArray()).join('');
  expect(errors).toBe(`cannot start: cannot reach NATS at ${natsUrl}\n`);
  expect(await exited).toBe(69);
});

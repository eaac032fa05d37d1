import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestProcess, freePort, tempFolder } from '@mediaplane/testkit';
import type { TempFolder } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { TestGateway } from './support/gateway.ts';
import { SrtChain } from './support/srt-chain.ts';

const SCRIPT = fileURLToPath(new URL('../src/send/main.ts', import.meta.url));
const PACKETS = 2000;
/** Much, so that a machine that stalls for a second loses nothing that the sender has not lost. */
const LATENCY_MS = 2000;
/** Nobody answers there: discard (RFC 863) is not served on a machine that runs tests. */
const NOBODY = '127.0.0.1:9';

let folder: TempFolder;
let links: string;

beforeEach(async () => {
  folder = await tempFolder('send');
  links = join(folder.path, 'links.txt');
  await writeFile(links, '127.0.0.2 name=lte\n127.0.0.3 name=wifi\n');
});

afterEach(() => folder.remove());

function send(to: number | string, ...args: string[]): Promise<TestProcess> {
  const receiver = typeof to === 'number' ? `127.0.0.1:${to}` : to;
  return TestProcess.startNode(SCRIPT, {
    name: 'srtla-send',
    args: ['--to', receiver, '--links', links, '--listen', '0', ...args],
  });
}

/** Waits for `type` of the link, in JSON lines. */
function event(sender: TestProcess, type: string, link: string): Promise<unknown> {
  return sender.waitForJson(({ event }) =>
    new RegExp(`"type":"${type}".*"name":"${link}"`).test(JSON.stringify(event ?? null)),
  );
}

describeIf('srt-live-transmit', 'a sender on its own', (programs) => {
  test('gets a stream through while its links are exchanged, and says how it was', async () => {
    await using stack = new AsyncDisposableStack();
    const serverPort = await freePort();
    const gateway = stack.use(await TestGateway.start());
    const sender = stack.use(await send(await gateway.listen(serverPort), '--json'));
    const started = await sender.waitForJson(({ type }) => type === 'started');
    await Promise.all(['lte', 'wifi'].map((link) => event(sender, 'link-up', link)));
    const encoderPort = Number(new URL(String(started['encoderUrl'])).port);
    const program = programs['srt-live-transmit'];
    const passphrase = '0123456789abcdef';
    const chain = await SrtChain.start({ program, serverPort, encoderPort, latencyMs: LATENCY_MS, passphrase }, stack);

    const streaming = chain.stream(0, PACKETS);
    await writeFile(links, '127.0.0.3 name=wifi\n127.0.0.4 name=sat cost=1\n');
    sender.signal('SIGHUP');
    await Promise.all([event(sender, 'link-removed', 'lte'), event(sender, 'link-up', 'sat')]);
    await streaming;
    expect(await chain.missing(PACKETS)).toEqual([]);

    expect(await sender.stop()).toEqual({ code: 0, signal: null });
    const ended = sender.json().at(-1);
    expect(ended).toMatchObject({ type: 'ended', code: 0, reason: 'SIGTERM' });
    expect(ended).toHaveProperty('uplink.links', [
      expect.objectContaining({ number: 1, settings: expect.objectContaining({ name: 'wifi' }) }),
      expect.objectContaining({ number: 0, settings: expect.objectContaining({ name: 'sat', cost: 1 }) }),
    ]);
    // The encoder's stream id is told of, and not told.
    expect(sender.json()).toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ type: 'encoder-up', streamId: 'li…(8)' }) }),
    );
    expect(sender.lines.join()).not.toContain('live/key');
  }, 60_000);
});

describe('a sender on its own tells a script', () => {
  test('in lines, where there is no terminal: what happens, and now and then how it is', async () => {
    await using gateway = await TestGateway.start();
    await using sender = await send(await gateway.listen(await freePort()), '--interval', '1');
    await sender.waitForLine(/^Encoder: srt:\/\/127\.0\.0\.1:\d+\?mode=caller$/);
    await sender.waitForLine(/^\d{4}-\d\d-\d\dT[\d:.]+Z wifi: up$/);
    await sender.waitForLine(/Z 0\.\d\d Mbit\/s \| lte up .* \| wifi up /);
    sender.signal('SIGINT');
    expect(await sender.exited).toEqual({ code: 0, signal: null });
    expect(sender.lines.at(-1)).toMatch(/ended after 00:00:\d\d, .*: SIGINT$/);
    expect(sender.lines.join()).not.toMatch(/\u001b/);
  });

  test('that it keeps its links when their file tells of none', async () => {
    await using sender = await send(NOBODY);
    await sender.waitForLine(/Encoder/);
    await writeFile(links, 'lte\n');
    await sender.waitForLine(/links\.txt tells of no link; line 1: "lte" is .*; the links stay as they are/);
    await writeFile(links, '127.0.0.2 speed=9\n');
    await sender.waitForLine(/links\.txt, line 1: "speed=9" is not known/);
    await sender.waitForLine(/wifi: removed/);
  });

  test.each([
    ['1: the command line cannot be understood', ['--mode', 'best'], 1, '--mode must be classic or enhanced'],
    ['3: no link comes up', ['--register-timeout', '1'], 3, 'no link came up for 1 s'],
  ])('by its exit status %s', async (_, args, code, reason) => {
    await using sender = await send(NOBODY, ...args);
    expect(await sender.exited).toEqual({ code, signal: null });
    expect(sender.lines.join('\n')).toContain(reason);
  });

  test('by its exit status 2: there are no links', async () => {
    await writeFile(links, '# none yet\n');
    await using sender = await send(NOBODY);
    expect(await sender.exited).toEqual({ code: 2, signal: null });
    expect(sender.lines.at(-1)).toMatch(/ended: .*links\.txt tells of no link$/);
  });

  test("by its exit status 2: the encoder's port is taken", async () => {
    await using stack = new AsyncDisposableStack();
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    stack.defer(() => void taken.close());
    await once(taken, 'listening');
    const sender = stack.use(await send(NOBODY, '--listen', String(taken.address().port)));
    expect(await sender.exited).toEqual({ code: 2, signal: null });
    expect(sender.lines.at(-1)).toMatch(/EADDRINUSE|address already in use/);
  });

  test('by its exit status 3: it was ended before it worked', async () => {
    await using sender = await send(NOBODY);
    await sender.waitForLine(/Encoder/);
    sender.signal('SIGTERM');
    expect(await sender.exited).toEqual({ code: 3, signal: null });
  });

  test('by its exit status 4: all links are lost', async () => {
    const gateway = await TestGateway.start();
    await using sender = await send(await gateway.listen(await freePort()), '--give-up', '1');
    await sender.waitForLine(/lte: up/);
    await gateway[Symbol.asyncDispose]();
    expect(await sender.exited).toEqual({ code: 4, signal: null });
    expect(sender.lines.at(-1)).toMatch(/all links were down for 1 s$/);
  });
});

describeIf('script', 'a sender on its own, on a terminal', (programs) => {
  test('draws a table, and gives the cursor back', async () => {
    const command = [
      process.execPath,
      SCRIPT,
      '--to',
      NOBODY,
      '--links',
      links,
      '--listen',
      '0',
      '--register-timeout',
      '2',
    ];
    // What it shows goes to our pipe, and nowhere else.
    const args = ['--quiet', '--flush', '--return', '--command', command.join(' '), '/dev/null'];
    await using terminal = await TestProcess.start(programs['script'], { args });
    expect(await terminal.exited).toEqual({ code: 3, signal: null });
    const shown = terminal.lines.join('\n');
    expect(shown).toMatch(/link +state +Mbit\/s/);
    expect(shown.indexOf('\u001b[?25l')).toBeGreaterThanOrEqual(0);
    expect(shown.indexOf('\u001b[?25h')).toBeGreaterThan(shown.lastIndexOf('lte'));
  });
});

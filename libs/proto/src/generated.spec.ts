import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buf, COMMITTED, generate } from '../tools/generate.ts';
import { ChannelEvent, OpenChannelRequest } from './index.ts';

const protoDir = fileURLToPath(new URL('../proto', import.meta.url));
let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mediaplane-proto-test-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

describe('what is committed', () => {
  test('follows from the .proto files', () => {
    const fresh = { code: join(scratch, 'gen'), image: join(scratch, 'image.binpb'), apiPage: join(scratch, 'api.md') };
    generate(fresh);
    const files = (dir: string): string[] =>
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(dir.length))
        .sort();
    expect(files(COMMITTED.code)).toEqual(files(fresh.code));
    for (const file of files(fresh.code)) {
      expect(readFileSync(COMMITTED.code + file, 'utf8')).toBe(readFileSync(fresh.code + file, 'utf8'));
    }
    expect(readFileSync(COMMITTED.image).equals(readFileSync(fresh.image))).toBe(true);
    expect(readFileSync(COMMITTED.apiPage, 'utf8')).toBe(readFileSync(fresh.apiPage, 'utf8'));
  });

  test('is clean by buf lint, with a comment on everything', () => {
    expect(buf('lint')).toBe('');
  });

  test('guards the wire: a field that changes its number is refused', () => {
    const changed = join(scratch, 'proto');
    cpSync(protoDir, changed, { recursive: true });
    const file = join(changed, 'mediaplane/rtp/v1/channel.proto');
    writeFileSync(file, readFileSync(file, 'utf8').replace('string cname = 5;', 'string cname = 15;'));
    expect(() => buf('breaking', changed, '--against', COMMITTED.image)).toThrow(/./);
    expect(buf('breaking', protoDir, '--against', COMMITTED.image)).toBe('');
  });
});

describe('the API page', () => {
  const page = readFileSync(COMMITTED.apiPage, 'utf8');
  const anchors = Array.from(page.matchAll(/^#+ (.+)$/gm), ([, title]) => title.replaceAll('.', '').toLowerCase());

  test('every link leads to one heading', () => {
    const targets = new Set(Array.from(page.matchAll(/\]\(#([^)]+)\)/g), ([, target]) => target));
    expect(targets.size).toBeGreaterThan(50);
    const astray = [...targets].filter((target) => anchors.filter((anchor) => anchor === target).length !== 1);
    expect(astray).toEqual([]);
  });

  test('types of one name lead to that of their package', () => {
    const [, srtlaOnwards] = page.split('## mediaplane.srtla.v1.SrtlaGatewayService');
    expect(page).toContain('[SnapshotEnd](#rtpv1snapshotend)');
    expect(srtlaOnwards).toContain('[SnapshotEnd](#srtlav1snapshotend)');
    expect(srtlaOnwards).not.toContain('#rtpv1');
  });
});

describe('messages', () => {
  test('keep presence of optional fields, moments and oneofs over the wire', () => {
    const request = OpenChannelRequest.fromPartial({ settings: { latch: { windowMs: 0 }, labels: { call: '7' } } });
    expect(OpenChannelRequest.decode(OpenChannelRequest.encode(request).finish())).toEqual(request);
    expect(request.settings?.idle?.rtpTimeoutMs).toBeUndefined();
    const event = ChannelEvent.fromPartial({
      eventTime: new Date(1_790_000_000_123),
      sequence: 2 ** 40,
      detail: { $case: 'dtmfReceived', value: { digit: '#', durationMs: 100, volumeDbm0: -13 } },
    });
    expect(ChannelEvent.decode(ChannelEvent.encode(event).finish())).toEqual(event);
  });
});

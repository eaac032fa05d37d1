import { describe, expect, test } from '@jest/globals';
import { refusedFields } from '@mediaplane/testkit';
import {
  RecordingChannelMode,
  RecordingDirection,
  SendDtmfRequest,
  StartPlaybackRequest,
  StartRecordingRequest,
} from '@mediaplane/proto';
import fc from 'fast-check';
import { validateDtmf } from './dtmf-request.ts';
import { validatePlayback } from './playback-request.ts';
import { validateRecording } from './recording-request.ts';
import { relativePathProblem } from './relative-path.ts';

describe('names of files', () => {
  test.each(['a.wav', 'a/b/c.wav', '...', 'ü.wav', '..a/b', 'a\\..\\b'])('%j may be', (name) => {
    expect(relativePathProblem(name)).toBeUndefined();
  });

  test.each([
    '',
    '/',
    '/etc/passwd',
    '..',
    '../a',
    'a/..',
    'a/../../b',
    '.',
    './a',
    'a//b',
    'a/',
    'a\0.wav',
    'x'.repeat(256),
    'é'.repeat(128),
    'a/'.repeat(600) + 'b',
  ])('%j may not be', (name) => {
    expect(relativePathProblem(name)).toBeDefined();
  });

  test('whatever passes stays below its folder', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('.', '..', '/', 'a', '\0', 'b')).map((parts) => parts.join('')),
        (name) => {
          if (relativePathProblem(name) !== undefined) return;
          expect(new URL(name, 'file:///root/').pathname.startsWith('/root/')).toBe(true);
        },
      ),
    );
  });
});

describe('StartPlayback', () => {
  const file = (value: string) => ({ source: { source: { $case: 'file' as const, value } } });
  const inline = (bytes: number) => ({
    source: { source: { $case: 'inline' as const, value: new Uint8Array(bytes) } },
  });
  const validate = (partial: Parameters<typeof StartPlaybackRequest.fromPartial>[0]) =>
    validatePlayback(StartPlaybackRequest.fromPartial(partial));

  test('counts of plays and the end', () => {
    const order = validate({
      items: [
        file('a.wav'),
        { ...file('b/c.wav'), startMs: 10, stopMs: 20, loopCount: 3 },
        { ...inline(1), loopCount: -1 },
      ],
      loopCount: -1,
    });
    expect(order.plays).toBe(Infinity);
    expect(order.parts.map(({ plays, startMs, stopMs, field }) => [plays, startMs, stopMs, field])).toEqual([
      [1, 0, Infinity, 'items[0].source.file'],
      [3, 10, 20, 'items[1].source.file'],
      [Infinity, 0, Infinity, 'items[2].source.inline'],
    ]);
  });

  test.each<[string, Parameters<typeof validate>[0], string[]]>([
    ['nothing', {}, ['items']],
    ['65 items', { items: Array.from({ length: 65 }, () => file('a.wav')) }, ['items']],
    ['no source', { items: [{}] }, ['items[0].source']],
    ['a path outside', { items: [file('a.wav'), file('../a.wav')] }, ['items[1].source.file']],
    ['an absolute path', { items: [file('/a.wav')] }, ['items[0].source.file']],
    ['too much inline in all', { items: [inline(200 * 1024), inline(57 * 1024)] }, ['items']],
    ['empty inline', { items: [inline(0)] }, ['items[0].source.inline']],
    ['a negative start', { items: [{ ...file('a.wav'), startMs: -1 }] }, ['items[0].start_ms']],
    ['a stop before the start', { items: [{ ...file('a.wav'), startMs: 5, stopMs: 5 }] }, ['items[0].stop_ms']],
    [
      '10,001 loops',
      { items: [{ ...file('a.wav'), loopCount: 10_001 }], loopCount: -2 },
      ['items[0].loop_count', 'loop_count'],
    ],
  ])('%s is refused by name', (_what, request, fields) => {
    expect(refusedFields(() => validate(request))).toEqual(fields);
  });
});

describe('StartRecording', () => {
  const validate = (partial: Parameters<typeof StartRecordingRequest.fromPartial>[0]) =>
    validateRecording(StartRecordingRequest.fromPartial(partial));

  test('defaults', () => {
    expect(validate({})).toMatchObject({
      file: '',
      channelMode: RecordingChannelMode.STEREO,
      direction: RecordingDirection.BOTH,
    });
    expect(validate({ direction: RecordingDirection.IN })).toMatchObject({ channelMode: RecordingChannelMode.MONO });
  });

  test.each<[string, Parameters<typeof validate>[0], string[]]>([
    ['another ending', { file: 'a.mp3' }, ['file']],
    ['a path outside', { file: '../a.wav' }, ['file']],
    ['a negative duration', { maxDurationMs: -5 }, ['max_duration_ms']],
    ['an unknown mode', { channelMode: 9 as RecordingChannelMode }, ['channel_mode']],
  ])('%s is refused by name', (_what, request, fields) => {
    expect(refusedFields(() => validate(request))).toEqual(fields);
  });
});

describe('SendDtmf', () => {
  const validate = (partial: Parameters<typeof SendDtmfRequest.fromPartial>[0]) =>
    validateDtmf(SendDtmfRequest.fromPartial(partial));

  test('defaults and upper case', () => {
    expect(validate({ digits: '09*#ad' })).toEqual({ digits: '09*#AD', digitMs: 100, gapMs: 100, volumeDbm0: -13 });
    expect(validate({ digits: '1', volumeDbm0: 0 }).volumeDbm0).toBe(0);
  });

  test.each<[string, Parameters<typeof validate>[0], string[]]>([
    ['nothing', {}, ['digits']],
    ['10,000 digits', { digits: '1'.repeat(10_000) }, ['digits']],
    ['a letter', { digits: '1E' }, ['digits']],
    ['a line end', { digits: '1\n' }, ['digits']],
    ['lengths', { digits: '1', digitMs: 39, gapMs: 5001, volumeDbm0: 1 }, ['digit_ms', 'gap_ms', 'volume_dbm0']],
  ])('%s is refused by name', (_what, request, fields) => {
    expect(refusedFields(() => validate(request))).toEqual(fields);
  });
});

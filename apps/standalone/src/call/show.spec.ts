import { expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import { Channel, ChannelEvent, CloseReason, RecordingFinishReason } from '@mediaplane/proto';
import { showChannel, showError, showEvent } from './show.ts';

test('an error shows each field that was refused', () => {
  const error = new ServiceError('INVALID_ARGUMENT', 'INVALID_FIELD', 'two things are wrong', {
    fieldViolations: [
      { field: 'settings.remote.address', description: 'must be an IP address' },
      { field: 'settings.remote.rtp_port', description: 'must be 1 to 65535, is 0' },
    ],
  });
  expect(showError(error, 'here:1')).toEqual([
    'INVALID_ARGUMENT INVALID_FIELD:',
    '  settings.remote.address: must be an IP address',
    '  settings.remote.rtp_port: must be 1 to 65535, is 0',
  ]);
});

test('an error without fields shows its message, and when to try again', () => {
  const error = ServiceError.exhausted('NO_CAPACITY', 'all instances are full', 1500);
  expect(showError(error, 'here:1')).toEqual([
    'RESOURCE_EXHAUSTED NO_CAPACITY: all instances are full',
    '  try again in 1.5 s',
  ]);
});

test('nobody there is said as such', () => {
  const error = new ServiceError('UNAVAILABLE', 'UNAVAILABLE', 'ECONNREFUSED');
  expect(showError(error, 'here:1')).toEqual([expect.stringContaining('nobody answers at here:1'), '  ECONNREFUSED']);
  const away = ServiceError.unavailable('INSTANCE_LOST', 'the instance was lost');
  expect(showError(away, 'here:1')).toEqual(['UNAVAILABLE INSTANCE_LOST: the instance was lost']);
});

test('a channel shows what is set and nothing else', () => {
  const channel = Channel.fromPartial({
    channelId: 'ch_a_b',
    local: { address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 },
    settings: { remote: { address: '192.0.2.9', rtpPort: 5000 }, labels: { call: '7' }, direction: 1 },
  });
  expect(showChannel(channel)).toEqual([
    'ch_a_b',
    '  receives on   192.0.2.1:4000, RTCP 4001',
    '  remote        192.0.2.9:5000',
    '  direction     sendrecv',
    '  labels        call=7',
  ]);
});

test('events are one line each, with their reasons in words', () => {
  const at = { channelId: 'ch_a_b', eventTime: new Date('2026-01-02T03:04:05.678Z') };
  const line = (detail: NonNullable<ChannelEvent['detail']>): string =>
    showEvent({ ...ChannelEvent.fromPartial(at), detail });
  expect(line({ $case: 'dtmfReceived', value: { digit: '5', durationMs: 100, volumeDbm0: -10 } })).toBe(
    '03:04:05.678  ch_a_b  dtmf_received       5, 100 ms',
  );
  const closed = ChannelEvent.fromPartial({
    detail: { $case: 'closed', value: { record: { reason: CloseReason.RTP_IDLE_TIMEOUT } } },
  });
  expect(showEvent({ ...closed, ...at })).toBe('03:04:05.678  ch_a_b  closed              rtp-idle-timeout');
  const failed = ChannelEvent.fromPartial({
    detail: {
      $case: 'recordingFinished',
      value: {
        recording: { file: 'x.wav', durationMs: 1500 },
        reason: RecordingFinishReason.WRITE_FAILED,
        error: 'ENOSPC',
      },
    },
  });
  expect(showEvent({ ...failed, ...at })).toMatch(/recording_finished {2}x\.wav, 1\.5 s, write-failed: ENOSPC$/);
});

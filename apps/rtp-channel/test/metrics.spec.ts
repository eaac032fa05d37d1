import { expect, test } from '@jest/globals';
import { THREAD_METRICS, prometheusName } from '@mediaplane/service';
import { tempFolder } from '@mediaplane/testkit';
import { RTP_CHANNEL_METRICS } from '../src/metrics.ts';
import { dial } from './support/caller.ts';
import { startInstance } from './support/instance.ts';

test('every metric has a value after a call', async () => {
  await using folder = await tempFolder('metrics');
  await using instance = await startInstance(folder.path, { MEDIAPLANE_MEDIA_THREADS: '2' });
  {
    await using caller = await dial(instance, { echo: true });
    await caller.phone.waitForPackets(20);
    // A channel that nobody sends to and that sends to nobody, and one that only hears.
    const { channel: unused } = await instance.channels.openChannel({});
    await instance.channels.closeChannel({ channelId: unused?.channelId ?? '' });
    await using listener = await dial(instance);
    listener.phone.sendRaw(new Uint8Array(7));
    listener.phone.sendRaw(new Uint8Array(9000));
    await caller.phone.waitForMorePackets(10);
  }
  const response = await fetch(`http://${instance.adminAddress}/metrics`);
  const text = await response.text();
  const value = (series: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(series));
    return line === undefined ? NaN : Number(line.slice(line.lastIndexOf(' ')));
  };
  for (const definition of [RTP_CHANNEL_METRICS, THREAD_METRICS].flatMap((each) => Object.values(each))) {
    expect(text).toContain(`# TYPE ${prometheusName(definition)} `);
  }
  expect(value('media_session_created_total')).toBe(3);
  expect(value('media_session_duration_seconds_count{media_close_reason="requested"')).toBe(3);
  expect(value('media_session_zero_packet_total')).toBe(1);
  expect(value('media_session_one_way_total')).toBe(1);
  expect(value('media_rtp_jitter_seconds_count')).toBe(2);
  expect(value('media_port_used')).toBe(0);
  expect(value('media_port_limit')).toBe(10_000);
  const sum = (family: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(family))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  expect(sum('media_rtp_packets_total')).toBeGreaterThanOrEqual(60);
  expect(sum('media_thread_datagrams_total')).toBeGreaterThanOrEqual(60);
  expect(sum('media_rtp_dropped_total{media_drop_cause="malformed"')).toBe(1);
  expect(sum('media_rtp_dropped_total{media_drop_cause="oversized"')).toBe(1);
}, 30_000);

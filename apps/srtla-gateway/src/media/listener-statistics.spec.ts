import { expect, test } from '@jest/globals';
import { EXTENDED_KEEPALIVE_BYTES, LinkTelemetry, writeExtendedKeepalive } from '@mediaplane/srtla';
import { Bench, addressOf } from '../domain/receiver/spec-bench.ts';
import { KEEPALIVE, data, idOf, reg2, srtNak } from '../domain/receiver/spec-packets.ts';
import { RelayTraffic } from '../domain/relay/relay-parts.ts';
import { readListener } from './listener-statistics.ts';

const ENCODER = 77;

test('a listener tells what its groups and links have carried, as plain data of that moment', () => {
  const bench = new Bench();
  bench.register(8, 9);
  const group = bench.accepted(9, ENCODER, 1, 2);
  bench.from(3, reg2(idOf(9)));
  const before = readListener(bench.receiver, new RelayTraffic(), bench.nowUs).groups[1];
  bench.nowUs += 500_000;
  bench.from(1, data(1, { timestampUs: 0 }));
  bench.nowUs += 1000;
  bench.from(1, data(2, { timestampUs: 2600 }));
  bench.from(2, data(3, { again: true }));
  bench.from(2, data(4, { to: 5 }));
  bench.fromServer(group, srtNak(ENCODER, 5, 0x80000008, 9));
  bench.from(7, KEEPALIVE);
  const keepalive = new Uint8Array(EXTENDED_KEEPALIVE_BYTES);
  const telemetry = Object.assign(new LinkTelemetry(), { smoothedRttMs: 45, naks: 3 });
  writeExtendedKeepalive(new DataView(keepalive.buffer), 0, 1, telemetry);
  bench.from(2, keepalive);
  bench.nowUs += 250_000;
  const told = readListener(bench.receiver, new RelayTraffic(), bench.nowUs);
  bench.from(1, data(6));
  expect(structuredClone(told)).toEqual(told);
  expect(told).toMatchObject({ sampledUs: bench.nowUs, halfOpenGroups: 1, counters: { strangers: 1, notAccepted: 1 } });
  expect(told.groups.map(({ group: serial, isAccepted }) => [serial, isAccepted])).toEqual([
    [1, false],
    [2, true],
  ]);
  expect(told.groups[1]).toMatchObject({
    upMs: 751,
    latencyMs: 300,
    packets: before.packets + 4,
    bytes: before.bytes + 4 * 1332,
    retransmitted: 1,
    notAccepted: 1,
    serverPackets: before.serverPackets + 1,
    serverBytes: before.serverBytes + 28,
    serverNaks: 1,
    serverNakPackets: 3,
  });
  const [one, two, late] = told.groups[1].links;
  expect(one).toMatchObject({ joinedLate: false, heardAgoMs: 250, jitterMs: 0.1, telemetry: null });
  expect(one.address).toEqual({ ...addressOf(1) });
  expect(two).toMatchObject({ packets: 2, bytes: 2664, jitterMs: 0, telemetry: { smoothedRttMs: 45, naks: 3 } });
  expect(late).toMatchObject({ joinedLate: true, packets: 0, heardAgoMs: 751 });
});

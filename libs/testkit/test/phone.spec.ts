import { describe, expect, test } from '@jest/globals';
import { RtpPhone } from '../src/phone.ts';
import type { RtpPhoneOptions } from '../src/phone-options.ts';

/** Two phones that know of each other. */
async function pair(
  first: RtpPhoneOptions = {},
  second: RtpPhoneOptions = {},
): Promise<{ alice: RtpPhone; bob: RtpPhone } & AsyncDisposable> {
  const alice = await RtpPhone.open({ seed: 11, ...first });
  const bob = await RtpPhone.open({ seed: 12, ...second });
  alice.call(bob);
  bob.call(alice);
  const dispose = async (): Promise<void> => {
    await alice.close();
    await bob.close();
  };
  return { alice, bob, [Symbol.asyncDispose]: dispose };
}

/** A square wave of `hz` for `ms`, which G.711 carries without loss at this level. */
function squareWave(hz: number, ms: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, index) =>
    Math.floor((2 * hz * index) / 8000) % 2 === 0 ? 8031 : -8031,
  );
}

/** Where `samples` first rises above silence. */
function onset(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > 1000);
}

describe('RtpPhone', () => {
  test.each(['PCMU', 'PCMA'] as const)('%s: what one says the other hears, sample by sample', async (codec) => {
    await using call = await pair({ codec });
    const said = squareWave(200, 200);
    call.alice.start();
    await call.alice.play(said);
    await call.bob.waitForPackets(10);
    await call.bob.waitFor(() => call.bob.heard().length - onset(call.bob.heard()) > said.length);
    const heard = call.bob.heard();
    const begin = onset(heard);
    const copy = heard.slice(begin, begin + said.length);
    expect(Math.max(...copy.map((sample, index) => Math.abs(sample - said[index])))).toBeLessThan(260);
    const [statistics] = call.bob.timeline.statistics;
    expect(statistics).toMatchObject({ ssrc: call.alice.ssrc, lost: 0, duplicates: 0, reordered: 0 });
  });

  test('IPv6, an even port with RTCP above it, and the same random numbers for the same seed', async () => {
    await using call = await pair({ address: '::1', seed: 5 }, { address: '::1', seed: 5 });
    expect(call.alice.port % 2).toBe(0);
    expect(call.alice.rtcpPort).toBe(call.alice.port + 1);
    expect(call.alice.ssrc).toBe(call.bob.ssrc);
    call.alice.start();
    await call.bob.waitForPackets(3);
    expect(call.bob.timeline.packets[0].from).toMatchObject({ address: '::1', port: call.alice.port });
  });

  test('digits are heard as they were sent', async () => {
    await using call = await pair();
    call.alice.start();
    await call.alice.sendDigits('1*D', { digitMs: 80, gapMs: 40, volume: 13 });
    await call.bob.waitForDigits('1*D');
    for (const digit of call.bob.timeline.digits) {
      expect(digit).toMatchObject({ durationMs: 80, volume: 13, packets: 6, endPackets: 3, hasMarker: true });
    }
    expect(call.bob.timeline.unfinishedDigits).toEqual([]);
    await expect(call.alice.sendDigits('1x')).rejects.toThrow(RangeError);
    await expect(call.alice.sendDigits('1', { digitMs: 9000 })).rejects.toThrow('40 to 8000');
  });

  test('an echoing phone sends everything back under its own SSRC, and stamps tell the time it took', async () => {
    await using call = await pair({ stamp: true }, { echo: true });
    call.alice.start();
    await call.alice.waitForPackets(10);
    const [sent, back] = [call.bob.timeline.packets[3], call.alice.timeline.packets[3]];
    expect(back).toMatchObject({ ssrc: call.bob.ssrc, sequenceNumber: sent.sequenceNumber, timestamp: sent.timestamp });
    expect(back.payload).toEqual(sent.payload);
    const { latencyMs } = call.alice.timeline;
    expect(latencyMs.count).toBe(call.alice.timeline.packets.length);
    expect(latencyMs.p50).toBeGreaterThan(0);
    expect(latencyMs.p99).toBeGreaterThanOrEqual(latencyMs.p50);
  });

  test('loss, duplicates and reordering are what the receiver counts', async () => {
    await using call = await pair({ sequenceNumber: 65_500 });
    call.alice.impair({ loss: 0.1, duplicate: 0.1, reorder: 0.1 });
    // Not paced: impairment goes by packets, not by time.
    for (let index = 0; index < 300; index++) call.alice.sendRtp({ timestamp: index * 160 });
    call.alice.impair({});
    call.alice.sendRtp({ timestamp: 300 * 160 });
    call.alice.sendRtp({ marker: true });
    await call.bob.waitFor(({ timeline }) => timeline.packets.some(({ marker }) => marker));
    const { lost, duplicated, reordered } = call.alice.impaired;
    expect(Math.min(lost, duplicated, reordered)).toBeGreaterThan(10);
    const [statistics] = call.bob.timeline.statistics;
    // Losses before the first packet that came cannot be seen.
    const before = (call.bob.timeline.packets[0].sequenceNumber - 65_500) & 0xffff;
    expect(statistics).toMatchObject({ lost: lost - before, duplicates: duplicated });
    expect(statistics.packets).toBe(302 - lost + duplicated);
    expect(statistics.reordered).toBeGreaterThan(0);
    expect(statistics.reordered).toBeLessThanOrEqual(reordered);
  });

  test('reports tell what was received and the round trip, and a BYE ends it', async () => {
    await using call = await pair();
    call.alice.start();
    await call.bob.waitForPackets(5);
    call.alice.sendReport();
    const sr = await call.bob.waitForRtcp('SR');
    expect(sr).toMatchObject({ ssrc: call.alice.ssrc, reports: [] });
    expect(sr.packetCount).toBeGreaterThanOrEqual(5);
    expect(sr.octetCount).toBe(sr.packetCount * 160);

    call.bob.sendReport();
    const rr = await call.alice.waitForRtcp('RR');
    expect(rr.reports).toMatchObject([{ ssrc: call.alice.ssrc, fractionLost: 0, cumulativeLost: 0 }]);
    expect(call.alice.rtcp.roundTripMs).toBeGreaterThanOrEqual(0);
    expect(call.alice.rtcp.roundTripMs).toBeLessThan(1000);

    call.alice.sendBye('goodbye');
    expect(await call.bob.waitForRtcp('BYE')).toEqual({ type: 'BYE', ssrcs: [call.alice.ssrc], reason: 'goodbye' });
  });

  test('reports go out by themselves at their interval', async () => {
    await using call = await pair({ rtcpIntervalMs: 30 });
    await call.bob.waitFor(({ receivedRtcp }) => receivedRtcp.length >= 2);
    expect(call.bob.receivedRtcp[0].packets.map(({ type }) => type)).toEqual(['RR', 'SDES']);
  });

  test('after a rebinding it sends from another port, and nothing comes to the old one', async () => {
    await using call = await pair();
    call.alice.start();
    await call.bob.waitForPackets(2);
    const { port } = call.alice;
    await call.alice.rebind('rtp');
    expect(call.alice.port).not.toBe(port);
    await call.bob.waitFor(({ timeline }) => timeline.packets.at(-1)?.from.port === call.alice.port);
    call.bob.sendRtp();
    call.bob.call(call.alice);
    call.bob.sendRtp({ marker: true });
    await call.alice.waitForPackets(1);
    expect(call.alice.timeline.packets.map(({ marker }) => marker)).toEqual([true]);
  });

  test('silence suppression: time runs on, and speech begins with a marker', async () => {
    await using call = await pair();
    call.alice.start();
    await call.bob.waitForPackets(2);
    call.alice.mute(true);
    await call.alice.sendDigits('5');
    await call.bob.waitForDigit('5');
    call.alice.mute(false);
    const audio = await call.bob.waitFor(({ timeline }) => {
      const digit = timeline.packets.findLastIndex(({ payloadType }) => payloadType === 101);
      return timeline.packets.slice(digit).find(({ payloadType }) => payloadType === 0);
    });
    expect(audio.marker).toBe(true);
    const [first] = call.bob.timeline.packets;
    expect((audio.timestamp - first.timestamp) >>> 0).toBeGreaterThan(160 * 5);
  });

  test('bytes that are no RTP are counted; a wait that fails says what was heard', async () => {
    await using call = await pair();
    call.alice.sendRaw(Uint8Array.of(1, 2, 3));
    call.alice.sendRaw(new Uint8Array(4).fill(0xff), 'rtcp');
    await call.bob.waitFor(({ timeline }) => timeline.malformed === 2);
    await expect(call.bob.waitForPackets(1, { timeoutMs: 1 })).rejects.toThrow(
      '1 packets: not within 1 ms; heard nothing; digits ""; 0 RTCP compounds, 2 malformed datagrams',
    );
    const waiting = call.bob.waitForDigit('1');
    await Promise.all([call.bob.close(), expect(waiting).rejects.toThrow('the phone was closed')]);
    await call.bob.close();
    expect(() => call.bob.port).toThrow('closed');
  });
});

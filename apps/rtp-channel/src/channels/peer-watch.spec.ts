import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import type { Events, WatchItem, WatchOptions } from '@mediaplane/control';
import { Channel, ChannelEvent } from '@mediaplane/proto';
import { PeerWatch } from './peer-watch.ts';

type Detail = NonNullable<Parameters<typeof ChannelEvent.fromPartial>[0]['detail']>;
type Item = WatchItem<Channel, ChannelEvent>;

const codecs = { receive: [{ payloadType: 8, encodingName: 'PCMA' }] };
const session = (sessionId: string, settings = {}): Item => ({
  kind: 'session',
  sessionId,
  record: Channel.fromPartial({ settings }),
});
const event = (sessionId: string, detail: Detail, final = false): Item => ({
  kind: 'event',
  sessionId,
  resumeToken: sessionId,
  event: ChannelEvent.fromPartial({ detail }),
  unixMs: 0,
  final,
});
const closed = (sessionId: string): Item => event(sessionId, { $case: 'closed', value: {} }, true);
const snapshotEnd: Item = { kind: 'snapshot-end', resumeToken: 'snapshot' };
const tooOld = new ServiceError('OUT_OF_RANGE', 'RESUME_TOKEN_TOO_OLD', 'too old');

/** Each watch yields the next list of items that its filter lets through, then throws its error or waits for the end. */
function start(watches: { items: Item[]; error?: Error }[], listed: string[] = []) {
  const told: string[] = [];
  const tokens: (string | undefined)[] = [];
  let onTold = (): void => undefined;
  const events: Pick<Events<Channel, ChannelEvent>, 'watch'> = {
    async *watch({ resumeToken, filter, signal }: WatchOptions<Channel, ChannelEvent>) {
      tokens.push(resumeToken);
      const { items, error } = watches.shift() ?? { items: [] };
      for (const item of items) {
        const isData = item.kind === 'session' || item.kind === 'event';
        if (!isData || filter === undefined || filter(item)) yield item;
      }
      if (error !== undefined) throw error;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
  const tell = (text: string): void => {
    told.push(text);
    onTold();
  };
  const watch = new PeerWatch({
    events,
    directory: {
      list: async () => listed.map((sessionId) => ({ sessionId, instanceId: 'b', record: Channel.fromPartial({}) })),
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    retryMs: 1,
    absenceMs: 1,
    onPeerEnded: (channelId, peerChannelId) => tell(`${peerChannelId} of ${channelId} ended`),
    onPeerCodecs: (channelId, peerChannelId, { receive }) =>
      tell(`${peerChannelId} of ${channelId} speaks ${receive.map(({ encodingName }) => encodingName).join()}`),
  });
  const toldTimes = (times: number): Promise<void> =>
    new Promise((resolve) => {
      onTold = () => {
        if (told.length >= times) resolve();
      };
      onTold();
    });
  return { watch, told, toldTimes, tokens };
}

describe('the watch of channels elsewhere', () => {
  test('tells of ends and of codecs, of those that are bridged only', async () => {
    const updated = (updatedPaths: string[]): Detail => ({
      $case: 'updated',
      value: { channel: { settings: { codecs } }, updatedPaths },
    });
    const { watch, told, toldTimes } = start([
      {
        items: [
          session('ch_b_1', { codecs }),
          session('ch_b_2', { codecs }),
          snapshotEnd,
          event('ch_b_1', updated(['labels'])),
          event('ch_b_1', updated(['codecs'])),
          closed('ch_b_2'),
          closed('ch_b_1'),
        ],
      },
    ]);
    watch.add('ch_a_1', 'ch_b_1');
    await toldTimes(2);
    watch.stop();
    // Its record, which may lag, tells nothing: the answer to the bridge has told more.
    expect(told).toEqual(['ch_b_1 of ch_a_1 speaks PCMA', 'ch_b_1 of ch_a_1 ended']);
  });

  test('a bridge that ends does not take the watch of the next with the same channel', async () => {
    const { watch, told, toldTimes } = start([{ items: [snapshotEnd, closed('ch_b_1')] }]);
    watch.add('ch_a_1', 'ch_b_1');
    watch.add('ch_a_2', 'ch_b_1');
    watch.remove('ch_a_1', 'ch_b_1');
    await toldTimes(1);
    watch.stop();
    expect(told).toEqual(['ch_b_1 of ch_a_2 ended']);
  });

  test('when events were missed, those are over that are in no list, then and later', async () => {
    const { watch, told, toldTimes, tokens } = start(
      [{ items: [snapshotEnd], error: tooOld }, { items: [session('ch_b_1', { codecs }), snapshotEnd] }],
      ['ch_b_1', 'ch_b_2'],
    );
    for (const number of [1, 2, 3]) watch.add(`ch_a_${number}`, `ch_b_${number}`);
    await toldTimes(2);
    watch.stop();
    // The second was not written yet, the third is gone.
    expect(told).toEqual(['ch_b_1 of ch_a_1 speaks PCMA', 'ch_b_3 of ch_a_3 ended']);
    expect(tokens).toEqual([undefined, undefined]);
  });

  test('otherwise it goes on where it was, and a list without a channel means nothing', async () => {
    const { watch, told, toldTimes, tokens } = start([
      { items: [snapshotEnd], error: new Error('the bus went away') },
      { items: [closed('ch_b_1')] },
    ]);
    watch.add('ch_a_1', 'ch_b_1');
    watch.add('ch_a_2', 'ch_b_2');
    await toldTimes(1);
    watch.stop();
    expect(told).toEqual(['ch_b_1 of ch_a_1 ended']);
    expect(tokens).toEqual([undefined, 'snapshot']);
  });
});

import {
  BridgeChannelsResponse,
  ChannelView,
  CloseChannelResponse,
  GetChannelResponse,
  ListChannelsResponse,
  OpenChannelResponse,
  WatchChannelsResponse,
} from '@mediaplane/proto';
import type { Channel } from '@mediaplane/proto';
import { table } from '../report/table.ts';
import { parseLabels, parseRemote } from './arguments.ts';
import type { Command } from './command.ts';
import { channelRow, showChannel, showEvent, showRecord } from './show.ts';

const PAGE_SIZE = 1000;

/** Commands on channels themselves. */
export const channelCommands = {
  open: {
    summary: 'Opens a channel and tells where it receives.',
    positionals: [],
    options: {
      remote: { kind: 'text', value: '<address:port>', help: 'where the peer wants its RTP' },
      echo: { kind: 'flag', help: 'send back what it receives' },
      label: { kind: 'text', value: '<name=value>', help: 'a label of your own; several', many: true },
      'max-duration-ms': { kind: 'number', value: '<ms>', help: 'closes it after this time' },
    },
    async run({ client, args, print }) {
      const remote = args.text('remote');
      const response = await client.openChannel({
        settings: {
          ...(remote === undefined ? {} : { remote: parseRemote(remote) }),
          echo: args.flag('echo'),
          labels: parseLabels(args.texts('label')),
          maxDurationMs: args.number('max-duration-ms') ?? 0,
        },
      });
      print(shown(response.channel), OpenChannelResponse.toJSON(response));
      return true;
    },
  },
  get: {
    summary: 'Tells all about a channel, with statistics.',
    positionals: ['channel'],
    options: {},
    async run({ client, args, print }) {
      const response = await client.getChannel({ channelId: args.required('channel'), view: ChannelView.STATS });
      print(shown(response.channel), GetChannelResponse.toJSON(response));
      return true;
    },
  },
  list: {
    summary: 'Lists the channels of all instances.',
    positionals: [],
    options: { filter: { kind: 'text', value: '<filter>', help: `for example 'labels.call = "7"'` } },
    async run({ client, args, print }) {
      const filter = args.text('filter') ?? '';
      const channels: Channel[] = [];
      let pageToken = '';
      do {
        const page = await client.listChannels({ filter, pageToken, pageSize: PAGE_SIZE });
        channels.push(...page.channels);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      const header = ['channel', 'receives on', 'remote', ''];
      print(
        channels.length === 0 ? ['no channels'] : table([header, ...channels.map(channelRow)], 'left', 0),
        ListChannelsResponse.toJSON({ channels, nextPageToken: '' }),
      );
      return true;
    },
  },
  close: {
    summary: 'Closes a channel and tells what it did.',
    positionals: ['channel'],
    options: { reason: { kind: 'text', value: '<text>', help: 'your words for the call record' } },
    async run({ client, args, print }) {
      const channelId = args.required('channel');
      const response = await client.closeChannel({ channelId, reasonText: args.text('reason') ?? '' });
      print(response.record === undefined ? [] : showRecord(response.record), CloseChannelResponse.toJSON(response));
      return true;
    },
  },
  bridge: {
    summary: 'Lets two channels talk with each other.',
    positionals: ['channel', 'peer-channel'],
    options: {},
    async run({ client, args, print }) {
      const channelId = args.required('channel');
      const peerChannelId = args.required('peer-channel');
      const response = await client.bridgeChannels({ channelId, peerChannelId });
      print([`${channelId} and ${peerChannelId} are bridged`], BridgeChannelsResponse.toJSON(response));
      return true;
    },
  },
  watch: {
    summary: 'Tells what happens to channels, until Ctrl-C.',
    positionals: ['channel?'],
    options: { filter: { kind: 'text', value: '<filter>', help: `for example 'labels.call = "7"'` } },
    async run({ client, args, print, signal }) {
      const channelId = args.optional('channel');
      const request = { channelIds: channelId === undefined ? [] : [channelId], filter: args.text('filter') ?? '' };
      try {
        for await (const response of client.watchChannels(request, { signal })) {
          const { item } = response;
          const lines =
            item?.$case === 'event'
              ? [showEvent(item.value)]
              : item?.$case === 'snapshotEnd'
                ? [`${item.value.channelCount} channels are open; what happens now:`]
                : [];
          print(lines, WatchChannelsResponse.toJSON(response));
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      return true;
    },
  },
} satisfies Record<string, Command>;

function shown(channel: Channel | undefined): string[] {
  return channel === undefined ? ['the answer holds no channel'] : showChannel(channel);
}

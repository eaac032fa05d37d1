import { choice, decimal, flag, integer, list, pattern, section, text } from '@mediaplane/service';
import type { ConfigOf } from '@mediaplane/service';

const DAY_MS = 86_400_000;
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]+:[0-9a-fA-F:.]*)$/;
const IP_LITERAL_OR_EMPTY = new RegExp(`^$|${IP_LITERAL.source}`);

const action = {
  server: text('', 'host:port of the SRT server that gets the stream.'),
  refuse: text('', 'Instead: the stream is refused; unauthorized or forbidden.'),
  callbackGrpc: text('', 'Instead: host:port of an IngestAuthorizerService that decides.'),
  callbackSubject: text('', 'Instead: subject of the bus on which somebody decides.'),
  streamName: text('', 'Public name of the stream; {resource} and {user} stand for those parts of the stream id.'),
};

/** Keys of this service beside those that every service has. */
export const srtlaGatewayConfig = {
  listeners: list(
    {
      name: text('', 'Its own on this instance: 1 to 64 of a-z, 0-9, _, -.'),
      interface: text('', 'Name of one of net.interfaces; empty: the first.'),
      port: integer(0, 65535, 0, 'UDP port that senders send to.'),
      server: text('', 'host:port of the SRT server that every stream goes to. Empty: rules decide.'),
      rules: list(
        {
          resource: text('', 'Pattern of the stream id; * stands for anything.'),
          user: text('', 'Pattern of its u.'),
          session: text('', 'Pattern of its s.'),
          mode: text('', 'Pattern of its m.'),
          ...action,
        },
        [],
        'The first that matches decides.',
      ),
      withoutStreamId: section(action),
      maxGroups: integer(0, 10_000, 0, 'Groups at most; 0: 200.'),
      maxLinksPerGroup: integer(0, 64, 0, 'Links of a group at most; 0: 16.'),
      maxHalfOpenGroups: integer(0, 10_000, 0, 'Groups without an SRT session at most; 0: 100.'),
      linkTimeoutMs: integer(0, 60_000, 0, 'A link that is silent this long is over; 0: 15,000.'),
      groupTimeoutMs: integer(0, 300_000, 0, 'A group without links lives on this long; 0: 30,000.'),
      refuseLateLinks: flag(false, 'Links that register when the SRT session stands are refused.'),
      padReplies: flag(true, "SRTLA's own small replies are filled up to 32 bytes."),
      ackCopyIntervalMs: integer(
        0,
        10_000,
        0,
        'How often links that are not the freshest get SRT acknowledgements; 0: 100.',
      ),
      drainingReply: choice(['silence', 'nak'], 'silence', 'What registrations get while the gateway drains.'),
    },
    [],
    'Listeners that are there from the start; an entry has the fields of ListenerSettings, with `server` or `rules` for its ingest policy.',
  ),
  uplinks: list(
    {
      name: text('', 'Its own on this instance: 1 to 64 of a-z, 0-9, _, -.'),
      listenAddress: pattern(IP_LITERAL, '127.0.0.1', 'Where the encoder sends to.', 'an IP address'),
      listenPort: integer(0, 65535, 0, 'Its UDP port; 0 lets the system choose, at the first start.'),
      receiver: text('', 'host:port of the SRTLA receiver.'),
      mode: choice(['enhanced', 'classic'], 'enhanced', 'How packets are given to links.'),
      maxBitrateBps: integer(0, 1_000_000_000, 0, 'The most that the encoder will send; 0: 50,000,000.'),
      links: list(
        {
          name: text('', 'In tables and events; empty: made of address and device.'),
          address: text('', 'Source address.'),
          device: text('', 'Network interface.'),
          priority: decimal(0.1, 10, 1, 'Its score is multiplied by this.'),
          cost: integer(0, 1000, 0, 'Cheaper links go first.'),
          maxBitrateBps: integer(0, Number.MAX_SAFE_INTEGER, 0, 'It is given no more than this; 0: no limit.'),
          capBytes: integer(0, Number.MAX_SAFE_INTEGER, 0, 'Data after which it takes no more; 0: no cap.'),
          disabled: flag(false, 'It sends nothing.'),
        },
        [],
        'At most 16.',
      ),
    },
    [],
    'Uplinks that are there from the start; an entry has the fields of UplinkSettings but labels, with `receiver` for host and port. What is changed by call lasts until the next start.',
  ),
  sockets: section({
    listenerReceiveBufferBytes: integer(65_536, 268_435_456, 8_388_608, 'Receive buffer asked for each listener.'),
    upstreamReceiveBufferBytes: integer(
      4096,
      67_108_864,
      1_048_576,
      'Receive buffer asked for each group, towards its SRT server.',
    ),
  }),
  memory: section({
    arenaBytes: integer(
      4_194_304,
      2_147_483_648,
      67_108_864,
      'Memory of each media thread for datagrams. An uplink keeps what it sent in the last half second there: a sixteenth of its bitrate limit.',
    ),
  }),
  upstream: section({
    sourceAddress: pattern(
      IP_LITERAL_OR_EMPTY,
      '',
      'Address that groups reach their SRT servers from. Empty: the one that the system routes by.',
      'an IP address',
    ),
    portMin: integer(1024, 65_535, 30_000, 'First port that groups reach their SRT servers from, one each.'),
    portMax: integer(
      1024,
      65_535,
      31_999,
      'Last of them. Keep the range out of the ephemeral one: a group must get its port back after a restart. No listener or uplink may have a port of it.',
    ),
  }),
  state: section({
    folder: text(
      'srtla-state',
      'Folder of what outlives the process where there is no NATS: listeners, groups, uplinks, token key. Made when missing; empty: nothing does.',
    ),
    node: text('', 'Name of the node, whose next instance takes over. Empty: the host name of the system.'),
    resumeWithinMs: integer(0, 600_000, 60_000, 'A group is taken over when its sender was heard of so lately.'),
  }),
  tokens: section({
    keyFile: text(
      '',
      'File with the key that seals group ids: 32 bytes in hexadecimal or base64. Empty: one is made and kept.',
    ),
    previousKeyFile: text('', 'File with the key before it, whose ids stay good.'),
    maxAgeMs: integer(
      60_000,
      30 * DAY_MS,
      DAY_MS,
      'A group that is not known is rebuilt from an id of this age at most.',
    ),
    refreshMs: integer(1000, 3_600_000, 30_000, 'How often the files are read again.'),
  }),
  relay: section({
    keyFile: text(
      '',
      'File with the key by which instances prove themselves to each other: 32 bytes in hexadecimal or base64. With it, and on NATS, links that reach another instance than the owner of their group are handed on to that. Empty: they are not.',
    ),
    previousKeyFile: text(
      '',
      'File with another key that is good too, for the time of a change. Both are read at start.',
    ),
    port: integer(
      0,
      65_535,
      0,
      "UDP port on the private network (net.interfaces privateAddress, else bindAddress) that other instances hand links of the first listener on to; the next listener has the next port. 0: the system's choice.",
    ),
    maxLinks: integer(
      1,
      100_000,
      1000,
      'Links that are handed on to others at once, with a socket each; more are not answered.',
    ),
    maxPacketsPerSecond: integer(
      100,
      1_000_000,
      20_000,
      'Datagrams taken of one link that another instance hands on; bursts of half a second.',
    ),
  }),
  ingest: section({
    callbackTimeoutMs: integer(100, 2000, 2000, 'How long a callback may take; an encoder gives up after 3 s.'),
    callbackCaFile: text('', 'PEM file of the authority of gRPC callbacks; set, they are called with TLS.'),
    callbackTokenFile: text('', 'File with the bearer token that gRPC callbacks get.'),
  }),
  statistics: section({
    bindAddress: pattern(
      IP_LITERAL,
      '127.0.0.1',
      'Address of the statistics page for scene switchers.',
      'an IP address',
    ),
    port: integer(0, 65_535, 9071, 'Its port; 0 lets the system choose.'),
    readKey: text(
      '',
      'Key that readers must show, as a bearer token or as ?key=. Empty, here and in the file: no page.',
      'text',
      {
        secret: true,
      },
    ),
    readKeyFile: text('', 'File that holds the key, read at start.'),
  }),
  streams: section({
    maxWatches: integer(1, 100_000, 256, 'WatchGroups and WatchUplinks served at once; more get RESOURCE_EXHAUSTED.'),
  }),
};

export type SrtlaGatewayConfig = ConfigOf<typeof srtlaGatewayConfig>;
export type ConfiguredListener = SrtlaGatewayConfig['listeners'][number];
export type ConfiguredUplink = SrtlaGatewayConfig['uplinks'][number];

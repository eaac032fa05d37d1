import { NetError } from '@mediaplane/net';
import type { z } from 'zod';
import { choice, flag, integer, list, pattern, section, text } from './keys.ts';
import type { ConfigProblem } from './load-config.ts';
import { netInterfaces } from './net-interfaces.ts';

const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]+:[0-9a-fA-F:.]*)$/;
const IP_LITERAL_OR_EMPTY = new RegExp(`^$|${IP_LITERAL.source}`);

/** Keys of every service; an app's schema is `z.strictObject({ ...commonConfig, its own sections })`. */
export const commonConfig = {
  instance: section({
    zone: text('', 'Failure domain in your own terms, announced to the fleet.'),
    hostName: text('', 'Name shown for this instance. Empty: the host name of the system.'),
  }),
  grpc: section({
    bindAddress: pattern(IP_LITERAL, '127.0.0.1', 'Address that the gRPC server listens on.', 'an IP address'),
    port: integer(0, 65535, 7070, 'Its port; 0 lets the system choose.'),
    advertisedAddress: text('', 'Host or address that others reach it by. Empty: bindAddress.'),
    tls: section({
      certFile: text('', 'PEM file of the server certificate and its chain. Empty: no TLS. Read again every minute.'),
      keyFile: text('', 'PEM file of its private key.'),
      clientCaFile: text('', 'PEM file of the authority of client certificates; set, clients need one (mTLS).'),
    }),
    bearerToken: text('', 'Token that every call must carry, health excepted. Empty: none.', 'text', { secret: true }),
    bearerTokenFile: text('', 'File that holds the token, read at start.'),
    reflection: flag(true, 'Serve gRPC reflection.'),
    maxMessageBytes: integer(4096, 67_108_864, 1_048_576, 'Largest request that is accepted.'),
    keepaliveTimeMs: integer(1000, 7_200_000, 30_000, 'A silent connection is pinged after this time.'),
    keepaliveTimeoutMs: integer(100, 600_000, 10_000, 'It is closed when the ping is not answered in this time.'),
  }),
  admin: section({
    bindAddress: pattern(
      IP_LITERAL,
      '127.0.0.1',
      'Address of /metrics, /healthz, /readyz and the status page.',
      'an IP address',
    ),
    port: integer(0, 65535, 9070, 'Its port; 0 lets the system choose.'),
  }),
  bus: section({
    natsUrl: pattern(
      /^$|^(nats|tls):\/\/[^\s]+$/,
      '',
      'NATS servers, comma separated. Empty: the bus inside this process, for a single instance.',
      'nats://host:port or tls://host:port',
    ),
    connectTimeoutMs: integer(0, 3_600_000, 30_000, 'How long the start waits for NATS before it gives up.'),
    credentialsFile: text('', 'NATS credentials (JWT and key).'),
    user: text('', 'NATS user.'),
    password: text('', 'NATS password.', 'text', { secret: true }),
    token: text('', 'NATS token.', 'text', { secret: true }),
    tls: section({
      caFile: text('', 'PEM file of the authority of the NATS servers.'),
      certFile: text('', 'PEM file of our client certificate.'),
      keyFile: text('', 'PEM file of its private key.'),
    }),
    replicas: integer(
      1,
      5,
      1,
      'Copies of each JetStream stream and bucket that is made, up to the size of the cluster.',
    ),
    eventMaxAgeMs: integer(
      60_000,
      604_800_000,
      3_600_000,
      'How long events are kept for watchers that resume. The same in the whole fleet.',
    ),
    eventMaxBytes: integer(
      1_048_576,
      1_099_511_627_776,
      268_435_456,
      'Bytes of events at most; the oldest go first. The same in the whole fleet.',
    ),
  }),
  capacity: section({
    maxSessions: integer(
      1,
      1_000_000,
      5000,
      'Sessions at most; ports, descriptors and a lagging event loop may lower it.',
    ),
    loopLagTargetMs: integer(5, 5000, 50, 'Event-loop lag above which capacity shrinks.'),
    maxConcurrentCalls: integer(1, 1_000_000, 1000, 'Calls handled at once; more get RESOURCE_EXHAUSTED.'),
  }),
  drainGraceMs: integer(0, 86_400_000, 600_000, 'How long live sessions may go on after SIGTERM or DrainInstance.'),
  leaseTtlMs: integer(
    1000,
    60_000,
    5000,
    'An instance silent for longer is declared lost. The same in the whole fleet.',
  ),
  orphanGraceMs: integer(0, 3_600_000, 30_000, 'How long an instance that was declared lost keeps its media.'),
  net: section({
    implementation: choice(
      ['auto', 'native', 'dgram'],
      'auto',
      'UDP over system calls or over node:dgram; auto takes native where it works.',
      { env: 'MEDIAPLANE_NET' },
    ),
    batchCalls: flag(true, 'One system call for many media sockets (io_uring, Linux 6.1) where the system allows it.'),
    interfaces: list(
      {
        name: pattern(/^[a-z0-9-]{1,32}$/, 'default', 'Name that sessions choose it by.', '1 to 32 of a-z, 0-9, -'),
        bindAddress: pattern(IP_LITERAL, '127.0.0.1', 'Address that media sockets are bound to.', 'an IP address'),
        advertisedAddress: pattern(
          IP_LITERAL_OR_EMPTY,
          '',
          'Address told to peers. Empty: bindAddress.',
          'an IP address',
        ),
        privateAddress: pattern(
          IP_LITERAL_OR_EMPTY,
          '',
          'Address for other instances. Empty: bindAddress.',
          'an IP address',
        ),
      },
      [{}],
      'Networks that media may use: name, bindAddress, advertisedAddress, privateAddress. The first is the default.',
    ),
    rtpPortMin: integer(1024, 65534, 10_000, 'First RTP port; RTP takes even ports, RTCP the next.'),
    rtpPortMax: integer(1025, 65535, 29_999, 'Last port of the range.'),
    quietTimeMs: integer(0, 600_000, 2000, 'How long a released port rests before it is used again.'),
    dscp: integer(0, 63, 46, 'DSCP of media packets; 46 is expedited forwarding.'),
    receiveBufferBytes: integer(4096, 67_108_864, 262_144, 'Receive buffer asked for per media socket.'),
    latencyBudgetUs: integer(0, 20_000, 750, 'Delay that media threads may add under load to save wake-ups; 0: none.'),
  }),
  media: section({
    threads: integer(0, 256, 0, 'Media threads; 0: one per core less one, at least one.'),
  }),
  telemetry: section({
    otlpEndpoint: pattern(
      /^$|^https?:\/\/[^\s]+$/,
      '',
      'OTLP over HTTP: traces go to <endpoint>/v1/traces, metrics to <endpoint>/v1/metrics. Empty: not sent.',
      'http://host:port or https://host:port',
    ),
    metricsIntervalMs: integer(1000, 600_000, 30_000, 'How often metrics are sent there.'),
    traceSamplePercent: integer(
      0,
      100,
      10,
      "Share of traces begun here that are kept; a caller's decision is followed.",
    ),
  }),
  log: section({
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'info',
      'Least level that is written.',
    ),
    format: choice(['auto', 'json', 'pretty'], 'auto', 'auto is pretty on a terminal, JSON otherwise.'),
  }),
};

export type CommonConfig = z.output<z.ZodObject<typeof commonConfig>>;

/** Rules over several keys. */
export function checkCommonConfig(config: CommonConfig): ConfigProblem | undefined {
  const { grpc, net, bus } = config;
  if (net.rtpPortMax <= net.rtpPortMin) {
    return { path: 'net.rtpPortMax', complaint: `must be above net.rtpPortMin, ${net.rtpPortMin}` };
  }
  // RTP takes an even port, RTCP the next.
  if (net.rtpPortMax === net.rtpPortMin + 1 && net.rtpPortMin % 2 === 1) {
    return {
      path: 'net.rtpPortMax',
      complaint: `must leave a pair of ports from net.rtpPortMin, ${net.rtpPortMin}, on`,
    };
  }
  if (grpc.tls.certFile !== '' && grpc.tls.keyFile === '') {
    return { path: 'grpc.tls.keyFile', complaint: 'must be set with grpc.tls.certFile' };
  }
  if (grpc.tls.certFile === '' && (grpc.tls.keyFile !== '' || grpc.tls.clientCaFile !== '')) {
    return { path: 'grpc.tls.certFile', complaint: 'must be set with grpc.tls.keyFile and grpc.tls.clientCaFile' };
  }
  if (grpc.bearerToken !== '' && grpc.bearerTokenFile !== '') {
    return { path: 'grpc.bearerTokenFile', complaint: 'must be empty when grpc.bearerToken is set' };
  }
  if ((bus.user === '') !== (bus.password === '')) {
    return {
      path: bus.user === '' ? 'bus.user' : 'bus.password',
      complaint: 'must be set with the other of user, password',
    };
  }
  try {
    netInterfaces(net.interfaces);
  } catch (error) {
    if (error instanceof NetError) return { path: 'net.interfaces', complaint: error.message };
    throw error;
  }
  return undefined;
}

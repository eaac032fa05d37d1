import { parseArgs } from 'node:util';

export interface StandaloneOptions {
  readonly once: boolean;
  readonly help: boolean;
  /** Undefined: as configured, else `recordings`. */
  readonly recordings: string | undefined;
  /** Undefined: the authorities that everybody knows. */
  readonly tlsCa: string | undefined;
}

export const HELP = `npm start -- [options]

Starts every service of mediaplane in one process on a bus of its own, places a call, sends a stream over two links of which
one dies, reports, and serves until Ctrl-C.

  --once                 end after the report; status 1 when anything was wrong
  --recordings <folder>  where recordings go (default: recordings)
  --tls-ca <file>        where the services have TLS: the authority of their certificate (PEM)
  --help                 this page

Ports: gRPC 127.0.0.1:7070 of rtp-channel and 7071 of srtla-gateway, admin pages 9070 and 9072, RTP 10000-29999. A default
port that is taken is replaced by a free one. Everything that a service can be configured with works here too, from the
environment: MEDIAPLANE_GRPC_PORT and so on, where srtla-gateway takes the port at the same distance from the one that is
named. A file (MEDIAPLANE_CONFIG) is that of rtp-channel.
`;

/** @throws Error for what is not understood; its message is for people. */
export function parseOptions(args: readonly string[]): StandaloneOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      recordings: { type: 'string' },
      'tls-ca': { type: 'string' },
    },
  });
  if (values.recordings === '') throw new Error('--recordings needs the name of a folder');
  const { once, help, recordings, 'tls-ca': tlsCa } = values;
  return { once, help, recordings, tlsCa };
}

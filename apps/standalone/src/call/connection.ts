import { clientCredentials, ConfigError } from '@mediaplane/service';
import type { ClientOptions } from '@mediaplane/service';
import type { Arguments, CommandSpec } from './arguments.ts';
import { UsageError } from './arguments.ts';

const DEFAULT_ADDRESS = '127.0.0.1:7070';
/** The service's own variable: one environment fits both ends, and the token is in no list of processes. */
const TOKEN_VARIABLE = 'MEDIAPLANE_GRPC_BEARER_TOKEN';

/** Options of every command that say where the service is and how to get in. */
export const CONNECTION_OPTIONS: CommandSpec['options'] = {
  address: { kind: 'text', value: '<host:port>', help: `gRPC address (default ${DEFAULT_ADDRESS})` },
  tls: { kind: 'flag', help: 'TLS, trusting the authorities that everybody knows' },
  'tls-ca': { kind: 'text', value: '<file>', help: 'TLS, trusting the authority in this PEM file' },
  'tls-cert': { kind: 'text', value: '<file>', help: 'TLS with this certificate of ours (PEM), for servers that ask' },
  'tls-key': { kind: 'text', value: '<file>', help: 'its private key (PEM)' },
  token: { kind: 'text', value: '<token>', help: `bearer token (default: from ${TOKEN_VARIABLE})` },
};

export interface Connection {
  readonly address: string;
  readonly options: ClientOptions;
}

/** @throws UsageError for files that are no certificates */
export function connectionOf(args: Arguments, env: Readonly<Record<string, string | undefined>>): Connection {
  const files = { caFile: args.text('tls-ca'), certFile: args.text('tls-cert'), keyFile: args.text('tls-key') };
  const usesTls = args.flag('tls') || Object.values(files).some((file) => file !== undefined);
  const token = args.text('token') ?? env[TOKEN_VARIABLE] ?? '';
  try {
    return {
      address: args.text('address') ?? DEFAULT_ADDRESS,
      options: {
        credentials: usesTls ? clientCredentials(files) : undefined,
        bearerToken: token === '' ? undefined : token,
      },
    };
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  credentials,
  experimental,
  ResponderBuilder,
  ServerCredentials,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import type { ChannelCredentials, ServerInterceptor } from '@grpc/grpc-js';
import { ServiceError } from '@mediaplane/control';
import type { CommonConfig } from '../config/common-config.ts';
import { ConfigError } from '../config/load-config.ts';
import { toStatus } from './status.ts';

type GrpcConfig = CommonConfig['grpc'];

/** Certificates are rotated under a running process (cert-manager does), so their files are read again. */
const CERTIFICATE_REFRESH_MS = 60_000;

/** Plain text, TLS, or TLS with client certificates, as configured. Rejects with ConfigError for a file that cannot be read. */
export async function serverCredentials({ tls }: GrpcConfig): Promise<ServerCredentials> {
  if (tls.certFile === '') return ServerCredentials.createInsecure();
  readable('grpc.tls.certFile', tls.certFile);
  readable('grpc.tls.keyFile', tls.keyFile);
  if (tls.clientCaFile !== '') readable('grpc.tls.clientCaFile', tls.clientCaFile);
  const provider = new experimental.FileWatcherCertificateProvider({
    certificateFile: tls.certFile,
    privateKeyFile: tls.keyFile,
    caCertificateFile: tls.clientCaFile === '' ? undefined : tls.clientCaFile,
    refreshIntervalMs: CERTIFICATE_REFRESH_MS,
  });
  // Until it has read the files once, the server would drop every connection.
  await new Promise<void>((resolve) => {
    const loaded = (): void => {
      provider.removeIdentityCertificateListener(loaded);
      resolve();
    };
    provider.addIdentityCertificateListener(loaded);
  });
  // The declared parameter names are swapped in grpc-js 1.14: the first provides the server's own certificate.
  const clientCa = tls.clientCaFile === '' ? null : provider;
  return experimental.createCertificateProviderServerCredentials(provider, clientCa, clientCa !== null);
}

export interface ClientTlsFiles {
  /** PEM file of the authority of the servers. Empty or absent: those that Node knows. */
  readonly caFile?: string | undefined;
  /** PEM file of the client's certificate and its chain, for servers that ask for one. */
  readonly certFile?: string | undefined;
  /** PEM file of its private key; must be set with `certFile`. */
  readonly keyFile?: string | undefined;
}

/** TLS for `createClient`. @throws ConfigError for a file that cannot be read or does not fit */
export function clientCredentials({ caFile = '', certFile = '', keyFile = '' }: ClientTlsFiles): ChannelCredentials {
  if ((certFile === '') !== (keyFile === ''))
    throw new ConfigError('client TLS: certFile and keyFile must be set together');
  const read = (path: string, file: string): Buffer | null => (file === '' ? null : Buffer.from(readable(path, file)));
  const [ca, key, cert] = [read('caFile', caFile), read('keyFile', keyFile), read('certFile', certFile)];
  try {
    return credentials.createSsl(ca, key, cert);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`client TLS: must be PEM files that belong together (${reason})`);
  }
}

/** The token that callers must carry, or '' for none. */
export function bearerToken(config: GrpcConfig): string {
  if (config.bearerTokenFile === '') return config.bearerToken;
  const token = readable('grpc.bearerTokenFile', config.bearerTokenFile).trim();
  if (token === '')
    throw new ConfigError(`configuration: grpc.bearerTokenFile = "${config.bearerTokenFile}": must not be empty`);
  return token;
}

function readable(path: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`configuration: ${path} = ${JSON.stringify(file)}: must be a readable file (${reason})`);
  }
}

/** Refuses calls without `authorization: Bearer <token>`. Health is exempt: probes carry no token. */
export function bearerTokenInterceptor(token: string): ServerInterceptor {
  const expected = digest(`Bearer ${token}`);
  const refusal = toStatus(new ServiceError('UNAUTHENTICATED', 'TOKEN_REFUSED', 'a valid bearer token is required'));
  return (method, call) => {
    if (method.path.startsWith('/grpc.health.v1.Health/')) return new ServerInterceptingCall(call);
    const responder = new ResponderBuilder()
      .withStart((next) => {
        next(
          new ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, nextMetadata) => {
              const [given] = metadata.get('authorization');
              // Digests have one length, so the comparison takes the same time whatever was given.
              if (timingSafeEqual(digest(String(given ?? '')), expected)) nextMetadata(metadata);
              else call.sendStatus({ ...refusal, code: status.UNAUTHENTICATED });
            })
            .build(),
        );
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

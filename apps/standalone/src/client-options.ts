import { readFile } from 'node:fs/promises';
import { clientCredentials } from '@mediaplane/service';
import type { ClientOptions, CommonConfig } from '@mediaplane/service';

/** How to get into a service that is configured so. `tlsCa`: PEM file of the authority of its certificate, if not everybody knows it. */
export async function clientOptions(grpc: CommonConfig['grpc'], tlsCa: string | undefined): Promise<ClientOptions> {
  const { tls, bearerTokenFile } = grpc;
  const token = bearerTokenFile === '' ? grpc.bearerToken : (await readFile(bearerTokenFile, 'utf8')).trim();
  return {
    credentials: tls.certFile === '' ? undefined : clientCredentials({ caFile: tlsCa }),
    bearerToken: token === '' ? undefined : token,
  };
}

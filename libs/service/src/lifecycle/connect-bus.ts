import { EmbeddedBus, connectNats } from '@mediaplane/control';
import type { Bus, Logger } from '@mediaplane/control';
import type { CommonConfig } from '../config/common-config.ts';

/** The bus that is configured: NATS, or the one inside this process. Rejects when NATS cannot be reached or refuses us. */
export async function connectBus(
  { natsUrl, ...config }: CommonConfig['bus'],
  name: string,
  logger: Logger,
): Promise<Bus> {
  if (natsUrl === '') return new EmbeddedBus();
  const { tls } = config;
  const usesTls = tls.caFile !== '' || tls.certFile !== '' || natsUrl.startsWith('tls:');
  return connectNats({
    servers: natsUrl.split(',').map((server) => server.trim()),
    name,
    logger,
    replicas: config.replicas,
    connectTimeoutMs: config.connectTimeoutMs,
    ...(config.token === '' ? {} : { token: config.token }),
    ...(config.user === '' ? {} : { user: config.user, pass: config.password }),
    ...(config.credentialsFile === '' ? {} : { credsFile: config.credentialsFile }),
    ...(usesTls ? { tls: set(tls) } : {}),
  });
}

/** Without the keys that are empty. */
function set(tls: CommonConfig['bus']['tls']): { caFile?: string; certFile?: string; keyFile?: string } {
  return {
    ...(tls.caFile === '' ? {} : { caFile: tls.caFile }),
    ...(tls.certFile === '' ? {} : { certFile: tls.certFile }),
    ...(tls.keyFile === '' ? {} : { keyFile: tls.keyFile }),
  };
}

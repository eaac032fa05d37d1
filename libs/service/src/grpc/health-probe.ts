import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import type { CommonConfig } from '../config/common-config.ts';
import { NO_CHANNELZ } from './channel-options.ts';

/**
 * Asks grpc.health.v1.Health about one service. `SERVICE_UNKNOWN` when the server does not know it.
 * Rejects when nobody answers in time.
 */
export function checkHealth(
  address: string,
  name: string,
  timeoutMs: number,
  channel: ChannelCredentials = credentials.createInsecure(),
): Promise<string> {
  const client = new Client(address, channel, NO_CHANNELZ);
  const { path, requestSerialize, responseDeserialize } = service['Check'];
  return new Promise<string>((resolve, reject) => {
    const options = { deadline: Date.now() + timeoutMs };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service: name },
      options,
      (error, response) => {
        if (error === null) resolve(String(Reflect.get(response ?? {}, 'status')));
        else if (error.details.startsWith('Health status unknown')) resolve('SERVICE_UNKNOWN');
        else reject(error);
      },
    );
  }).finally(() => client.close());
}

/**
 * How one instance of a fleet reaches another's health, which needs no token. It asks who is there and sends nothing, so the
 * certificate is not verified; its own server certificate serves where client certificates are required.
 */
export function peerCredentials({ tls }: CommonConfig['grpc']): ChannelCredentials {
  if (tls.certFile === '') return credentials.createInsecure();
  const options = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
  return credentials.createSsl(null, readFileSync(tls.keyFile), readFileSync(tls.certFile), options);
}

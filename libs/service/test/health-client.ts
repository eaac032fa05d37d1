import { Client, credentials } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

/** Asks grpc.health.v1.Health, as a probe would. */
export function healthOf(address: string, name: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = service['Check'];
  return new Promise<string>((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: name }, (error, response) => {
      if (error !== null) reject(error);
      else resolve(String(Reflect.get(response ?? {}, 'status')));
    });
  }).finally(() => client.close());
}

import { fileURLToPath } from 'node:url';
import { FleetServiceDefinition, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient, type ServiceClient } from '@mediaplane/service';
import { TestProcess } from '@mediaplane/testkit';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A real rtp-channel process, and clients of it. */
export interface Instance extends AsyncDisposable {
  readonly process: TestProcess;
  readonly instanceId: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly channels: ServiceClient<typeof RtpChannelServiceDefinition>;
  readonly fleet: ServiceClient<typeof FleetServiceDefinition>;
}

/** Starts rtp-channel on free ports; resolves when it serves. `folder` holds its recordings and prompts. */
export async function startInstance(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Instance> {
  const process = await TestProcess.startNode(MAIN, {
    name: 'rtp-channel',
    cwd: folder,
    env: { MEDIAPLANE_GRPC_PORT: '0', MEDIAPLANE_ADMIN_PORT: '0', MEDIAPLANE_LOG_FORMAT: 'json', ...env },
  });
  const serving = await process.waitForJson((entry) => entry['msg'] === 'serving', { timeoutMs: 15_000 });
  const grpcAddress = String(serving['grpc']);
  const channels = createClient(RtpChannelServiceDefinition, grpcAddress);
  const fleet = createClient(FleetServiceDefinition, grpcAddress);
  return {
    process,
    instanceId: String(serving['instance']),
    grpcAddress,
    adminAddress: String(serving['admin']),
    channels,
    fleet,
    async [Symbol.asyncDispose]() {
      channels[Symbol.dispose]();
      fleet[Symbol.dispose]();
      await process.stop();
    },
  };
}

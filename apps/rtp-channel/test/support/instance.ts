import { fileURLToPath } from 'node:url';
import { FleetServiceDefinition, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient, type ServiceClient } from '@mediaplane/service';
import { TestProcess } from '@mediaplane/testkit';
import type { StartProcessOptions } from '@mediaplane/testkit';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The unit of `ulimit -f`. */
const POSIX_BLOCK_BYTES = 512;

/** A real rtp-channel process, and clients of it. */
export interface Instance extends AsyncDisposable {
  readonly process: TestProcess;
  readonly instanceId: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly channels: ServiceClient<typeof RtpChannelServiceDefinition>;
  readonly fleet: ServiceClient<typeof FleetServiceDefinition>;
}

/**
 * Starts rtp-channel on free ports; resolves when it serves. `folder` holds its recordings and prompts. A file that grows beyond
 * `maxFileBytes`, in steps of 512, meets the same as on a full disk: the system refuses the write.
 */
export async function startInstance(
  folder: string,
  env: Readonly<Record<string, string>> = {},
  { maxFileBytes }: { readonly maxFileBytes?: number } = {},
): Promise<Instance> {
  const options = {
    name: 'rtp-channel',
    cwd: folder,
    env: { MEDIAPLANE_GRPC_PORT: '0', MEDIAPLANE_ADMIN_PORT: '0', MEDIAPLANE_LOG_FORMAT: 'json', ...env },
  };
  const process =
    maxFileBytes === undefined
      ? await TestProcess.startNode(MAIN, options)
      : await startNodeLimited(maxFileBytes / POSIX_BLOCK_BYTES, options);
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

/** `exec` keeps the pid, so that signals reach Node. */
function startNodeLimited(fileBlocks: number, options: StartProcessOptions): Promise<TestProcess> {
  const args = ['-c', `ulimit -f ${fileBlocks}; exec "$@"`, 'sh', process.execPath, MAIN];
  return TestProcess.start('/bin/sh', { ...options, args });
}

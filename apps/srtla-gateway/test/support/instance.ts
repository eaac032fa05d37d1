import { fileURLToPath } from 'node:url';
import { srtla } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { ServiceClient } from '@mediaplane/service';
import { TestProcess } from '@mediaplane/testkit';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A real srtla-gateway process, and a client of it. */
export interface Instance extends AsyncDisposable {
  readonly process: TestProcess;
  readonly instanceId: string;
  readonly adminAddress: string;
  readonly grpcAddress: string;
  readonly gateway: ServiceClient<srtla.SrtlaGatewayServiceDefinition>;
}

/** Starts srtla-gateway on free ports; resolves when it serves. `folder` holds what outlives the process. */
export async function startInstance(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Instance> {
  const process = await TestProcess.startNode(MAIN, {
    name: 'srtla-gateway',
    cwd: folder,
    env: {
      MEDIAPLANE_GRPC_PORT: '0',
      MEDIAPLANE_ADMIN_PORT: '0',
      MEDIAPLANE_STATISTICS_PORT: '0',
      MEDIAPLANE_LOG_FORMAT: 'json',
      MEDIAPLANE_STATE_NODE: 'test-node.example',
      MEDIAPLANE_DRAIN_GRACE_MS: '0',
      ...env,
    },
  });
  const serving = await process.waitForJson((entry) => entry['msg'] === 'serving', { timeoutMs: 15_000 });
  const gateway = createClient(srtla.SrtlaGatewayServiceDefinition, String(serving['grpc']));
  return {
    process,
    instanceId: String(serving['instance']),
    adminAddress: String(serving['admin']),
    grpcAddress: String(serving['grpc']),
    gateway,
    async [Symbol.asyncDispose]() {
      gateway[Symbol.dispose]();
      await process.stop();
    },
  };
}

/** Every stream of the listener goes to this SRT server. */
export function fixedTo(port: number) {
  return { policy: { $case: 'fixed' as const, value: { host: '127.0.0.1', port } } };
}

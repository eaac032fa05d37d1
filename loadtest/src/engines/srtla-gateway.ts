import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { srtla } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { ServiceClient } from '@mediaplane/service';
import { runFolder } from '../at-exit.ts';
import { Child } from '../processes.ts';
import { linkAddress } from './bonding-engine.ts';
import type { BondingEngine, BondingProcess, Profile } from './bonding-engine.ts';

const APP = join(import.meta.dirname, '..', '..', '..', 'apps', 'srtla-gateway', 'dist', 'main.js');
const LOOPBACK = '127.0.0.1';
const START_WITHIN_MS = 30_000;
const CALL_WITHIN_MS = 10_000;
/** 40,000 packets a second. */
const MAX_BITRATE_BPS = 430_000_000;
const MAX_GROUPS = 1000;

const LATENCY_BUDGET_US: Readonly<Record<Profile, number>> = { latency: 0, economy: 1000 };

type Client = ServiceClient<typeof srtla.SrtlaGatewayServiceDefinition>;

/** The product: its built app on the embedded bus, driven over gRPC; sender and receiver are a process each. */
export const srtlaGateway: BondingEngine = {
  name: 'ours',
  unavailable: () => (existsSync(APP) ? null : 'srtla-gateway is not built (npm run build)'),
  startReceiver: (serverPort, profile) => start(profile, (client) => listen(client, serverPort)),
  startSender: (receiverPort, links, profile) => start(profile, (client) => uplink(client, receiverPort, links)),
};

/** `open` returns the port to send to. */
async function start(profile: Profile, open: (client: Client) => Promise<number>): Promise<BondingProcess> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await runFolder());
  const child = stack.use(
    await Child.startNode<never, never>(APP, {
      name: 'srtla-gateway',
      env: {
        MEDIAPLANE_GRPC_PORT: '0',
        MEDIAPLANE_ADMIN_PORT: '0',
        MEDIAPLANE_LOG_FORMAT: 'json',
        MEDIAPLANE_MEDIA_THREADS: '1',
        MEDIAPLANE_NET_LATENCY_BUDGET_US: String(LATENCY_BUDGET_US[profile]),
        MEDIAPLANE_STATE_FOLDER: folder.path,
        MEDIAPLANE_DRAIN_GRACE_MS: '0',
      },
    }),
  );
  const [, address] = await child.untilPrinted(/"grpc":"([^"]+)".*"msg":"serving"/, START_WITHIN_MS);
  const client = createClient(srtla.SrtlaGatewayServiceDefinition, address);
  stack.defer(() => client[Symbol.dispose]());
  const port = await open(client);
  const running = stack.move();
  return { pid: child.pid, port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function listen(client: Client, serverPort: number): Promise<number> {
  const settings = {
    name: 'loadtest',
    ingest: { policy: { $case: 'fixed', value: { host: LOOPBACK, port: serverPort } } },
    limits: { maxGroups: MAX_GROUPS, maxHalfOpenGroups: MAX_GROUPS },
  } as const;
  const { listener } = await client.createListener({ settings }, { timeoutMs: CALL_WITHIN_MS });
  if (listener?.address === undefined) throw new Error('a listener came without an address');
  return listener.address.port;
}

async function uplink(client: Client, receiverPort: number, links: number): Promise<number> {
  const settings = {
    name: 'loadtest',
    receiverHost: LOOPBACK,
    receiverPort,
    mode: srtla.SchedulingMode.CLASSIC,
    maxBitrateBps: MAX_BITRATE_BPS,
    links: Array.from({ length: links }, (_, link) => ({ address: linkAddress(link) })),
  };
  const { uplink } = await client.createUplink({ settings }, { timeoutMs: CALL_WITHIN_MS });
  if (uplink?.listen === undefined) throw new Error('an uplink came without an address');
  return uplink.listen.port;
}

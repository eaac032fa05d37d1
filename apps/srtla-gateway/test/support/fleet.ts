import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { srtla } from '@mediaplane/proto';
import { startNatsServer, tempFolder } from '@mediaplane/testkit';
import { fixedTo, startInstance } from './instance.ts';
import type { Instance } from './instance.ts';

const KEY = '5a'.repeat(32);

export interface FleetOptions {
  readonly instances: number;
  readonly serverPort: number;
  /** With a key, links are handed on. */
  readonly relay: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Instances of one fleet, on a real NATS, each a process on a node of its own, each with a listener `main` before the same SRT server. */
export class Fleet {
  readonly instances: Instance[] = [];
  /** Of the listeners, by instance. */
  readonly ports: number[] = [];
  readonly #start: (node: number) => Promise<Instance>;

  private constructor(start: (node: number) => Promise<Instance>) {
    this.#start = start;
  }

  static async start({ instances, relay, serverPort, env }: FleetOptions, stack: AsyncDisposableStack): Promise<Fleet> {
    const nats = stack.use(await startNatsServer());
    const folder = stack.use(await tempFolder('fleet'));
    const keyFile = join(folder.path, 'relay.key');
    await writeFile(keyFile, KEY);
    const fleet = new Fleet((node) =>
      startInstance(folder.path, {
        MEDIAPLANE_BUS_NATS_URL: nats.url,
        MEDIAPLANE_STATE_NODE: `node-${node}`,
        ...(relay ? { MEDIAPLANE_RELAY_KEY_FILE: keyFile } : {}),
        ...env,
      }),
    );
    stack.defer(async () => {
      for (const instance of fleet.instances) await instance[Symbol.asyncDispose]();
    });
    for (let node = 0; node < instances; node += 1) {
      const instance = await fleet.#start(node);
      fleet.instances.push(instance);
      const { instanceId, gateway } = instance;
      const settings = { name: 'main', ingest: fixedTo(serverPort) };
      const { listener } = await gateway.createListener({ instanceId, settings });
      fleet.ports.push(listener?.address?.port ?? 0);
    }
    return fleet;
  }

  /** Starts another instance on the node, whose last one has ended. */
  async startAgain(node: number): Promise<void> {
    this.instances[node] = await this.#start(node);
  }

  /** The groups of an instance, as it knows them itself. */
  async groupsOf({ instanceId, gateway }: Instance): Promise<srtla.Group[]> {
    const { groups } = await gateway.listGroups({});
    return groups.filter((group) => group.instanceId === instanceId);
  }

  /** How often an instance has said so in its log. */
  count(instance: Instance, message: string): number {
    return instance.process.json().filter(({ msg }) => msg === message).length;
  }
}

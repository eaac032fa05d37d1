import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { findSystemBinary } from '@mediaplane/testkit';
import { atExit } from '../at-exit.ts';

/** Programs that this needs. */
export const NETWORK_TOOLS = ['ip', 'nft', 'sysctl'] as const;

/** Where the receiver is: an address of none of the links, which is reached by each of them. */
export const RECEIVER_ADDRESS = '10.77.0.1';

export type Side = 'sender' | 'receiver';

/**
 * Two network namespaces of this machine, of a sender and of a receiver, with links between them: pairs of virtual Ethernet
 * interfaces, each a network of its own. Needs root. Nothing leaves the machine.
 */
export class Namespaces implements Disposable {
  readonly #names: Readonly<Record<Side, string>>;
  readonly #registered = atExit(() => this.#remove());

  private constructor() {
    this.#names = { sender: `mediaplane-s${process.pid}`, receiver: `mediaplane-r${process.pid}` };
  }

  /** @throws Error when a command fails, with what it said */
  static async create(links: number): Promise<Namespaces> {
    const made = new Namespaces();
    try {
      await made.#build(links);
    } catch (error) {
      made[Symbol.dispose]();
      throw error;
    }
    return made;
  }

  async #build(links: number): Promise<void> {
    for (const side of ['sender', 'receiver'] as const) {
      await run('ip', ['netns', 'add', this.#names[side]]);
      await this.ip(side, 'link set lo up');
      // Answers may come by another link than the system would have taken.
      for (const name of ['all', 'default']) {
        await run('ip', this.#inside(side, [tool('sysctl'), '-qw', `net.ipv4.conf.${name}.rp_filter=0`]));
      }
    }
    await this.ip('receiver', `addr add ${RECEIVER_ADDRESS}/32 dev lo`);
    for (let link = 0; link < links; link += 1) await this.#addLink(link);
  }

  async #addLink(link: number): Promise<void> {
    const [near, far] = [nearEnd(link), farEnd(link)];
    await this.ip('sender', `link add ${near} type veth peer name ${far} netns ${this.#names.receiver}`);
    await this.ip('sender', `addr add ${linkAddress(link)}/24 dev ${near}`);
    await this.ip('receiver', `addr add ${gateway(link)}/24 dev ${far}`);
    await this.ip('sender', `link set ${near} up`);
    await this.ip('receiver', `link set ${far} up`);
    await this.routeBack(link);
    // What a machine with two modems has: routes by the source address.
    const table = 100 + link;
    await this.ip('sender', `route add default via ${gateway(link)} table ${table}`);
    await this.ip('sender', `rule add from ${linkAddress(link)} table ${table}`);
  }

  /** The receiver's way to the sender's end of a link, from its one address; it is gone when the interface was down. */
  async routeBack(link: number): Promise<void> {
    await this.ip('receiver', `route replace 10.77.${link + 1}.0/24 dev ${farEnd(link)} src ${RECEIVER_ADDRESS}`);
  }

  /** `ip` in a namespace. @throws Error with what it said */
  async ip(side: Side, args: string): Promise<string> {
    return run('ip', ['-n', this.#names[side], ...args.split(' ')]);
  }

  /**
   * A command of nft, ready to be carried out at once: its program is running when this has returned, and waits for the word. What
   * is returned resolves when it is done, and throws an Error with what nft said.
   */
  filter(side: Side, command: string): () => Promise<void> {
    const args = this.#inside(side, [tool('nft'), '-f', '/dev/stdin']);
    const nft = spawn(tool('ip'), args, { stdio: ['pipe', 'ignore', 'pipe'] });
    const registered = atExit(() => nft.kill('SIGKILL'));
    let said = '';
    nft.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(nft, 'close').finally(() => registered[Symbol.dispose]());
    return async () => {
      nft.stdin.end(`${command}\n`);
      await ended;
      if (nft.exitCode !== 0) throw new Error(`nft: ${command}: ${said}`);
    };
  }

  /** A program and its arguments, to be started in a namespace. */
  inside(side: Side, program: string, args: readonly string[]): { readonly program: string; readonly args: string[] } {
    return { program: tool('ip'), args: this.#inside(side, [program, ...args]) };
  }

  #inside(side: Side, command: readonly string[]): string[] {
    return ['netns', 'exec', this.#names[side], ...command];
  }

  #remove(): void {
    for (const name of Object.values(this.#names)) {
      try {
        execFileSync(tool('ip'), ['netns', 'del', name], { stdio: 'ignore' });
      } catch {
        // It has not been made yet.
      }
    }
  }

  /** Removes both, and the links with them. Idempotent. */
  [Symbol.dispose](): void {
    this.#remove();
    this.#registered[Symbol.dispose]();
  }
}

/** Where a program is, also where the PATH of root leaves out its folder. */
function tool(name: (typeof NETWORK_TOOLS)[number]): string {
  return findSystemBinary(name) ?? name;
}

/** What it has printed. @throws Error with what it said */
async function run(name: 'ip', args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(tool(name), args)).stdout;
}

/** The sender's interface of a link. */
export function nearEnd(link: number): string {
  return `near${link}`;
}

/** The receiver's interface of a link. */
export function farEnd(link: number): string {
  return `far${link}`;
}

/** The sender's address of a link. */
export function linkAddress(link: number): string {
  return `10.77.${link + 1}.1`;
}

function gateway(link: number): string {
  return `10.77.${link + 1}.2`;
}

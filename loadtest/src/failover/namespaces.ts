import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the receiver is: an address of none of the links, which is reached by each of them. */
export const RECEIVER_ADDRESS = '10.77.0.1';

export type Side = 'sender' | 'receiver';

/**
 * Two network namespaces of this machine, of a sender and of a receiver, with links between them: pairs of virtual Ethernet
 * interfaces, each a network of its own. Needs root, `ip` and `nft`. Nothing leaves the machine.
 */
export class Namespaces implements AsyncDisposable {
  readonly #names: Readonly<Record<Side, string>>;
  readonly #links: number;
  readonly #removeAtExit = (): void => {
    // Also on Ctrl-C, when nobody awaits anything any more.
    for (const name of Object.values(this.#names)) {
      try {
        execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
      } catch {
        // It was never made.
      }
    }
  };

  private constructor(links: number) {
    this.#names = { sender: `mediaplane-s${process.pid}`, receiver: `mediaplane-r${process.pid}` };
    this.#links = links;
    process.once('exit', this.#removeAtExit);
  }

  /** @throws Error when a command fails, with what it said */
  static async create(links: number): Promise<Namespaces> {
    const made = new Namespaces(links);
    try {
      await made.#build();
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
    return made;
  }

  async #build(): Promise<void> {
    for (const side of ['sender', 'receiver'] as const) {
      await run('ip', ['netns', 'add', this.#names[side]]);
      await this.ip(side, 'link set lo up');
      // Answers may come by another link than the system would have taken.
      await this.#allowAnyPath(side, 'all');
      await this.#allowAnyPath(side, 'default');
    }
    await this.ip('receiver', `addr add ${RECEIVER_ADDRESS}/32 dev lo`);
    for (let link = 0; link < this.#links; link += 1) await this.#addLink(link);
  }

  async #addLink(link: number): Promise<void> {
    const { receiver } = this.#names;
    const [near, far] = [nearEnd(link), farEnd(link)];
    await this.ip('sender', `link add ${near} type veth peer name ${far} netns ${receiver}`);
    await this.ip('sender', `addr add ${linkAddress(link)}/24 dev ${near}`);
    await this.ip('receiver', `addr add ${gateway(link)}/24 dev ${far}`);
    await this.ip('sender', `link set ${near} up`);
    await this.ip('receiver', `link set ${far} up`);
    await this.routeBack(link);
    // What a machine with two modems has: routes by the source address.
    const table = 100 + link;
    await this.ip('sender', `route add default via ${gateway(link)} table ${table}`);
    await this.ip('sender', `rule add from ${linkAddress(link)} table ${table}`);
    await this.#allowAnyPath('sender', near);
    await this.#allowAnyPath('receiver', far);
  }

  /** The receiver's way to the sender's end of a link, from its one address; it is gone when the interface was down. */
  async routeBack(link: number): Promise<void> {
    await this.ip('receiver', `route replace 10.77.${link + 1}.0/24 dev ${farEnd(link)} src ${RECEIVER_ADDRESS}`);
  }

  #allowAnyPath(side: Side, device: string): Promise<unknown> {
    return run('ip', this.#inside(side, ['sysctl', '-qw', `net.ipv4.conf.${device}.rp_filter=0`]));
  }

  /** `ip` in a namespace. @throws Error with what it said */
  async ip(side: Side, args: string): Promise<string> {
    return (await run('ip', ['-n', this.#names[side], ...args.split(' ')])).stdout;
  }

  /** A packet filter of the receiver: a command of nft. @throws Error with what it said */
  async filter(command: string): Promise<void> {
    await run('ip', this.#inside('receiver', ['nft', command]));
  }

  /** A program and its arguments, to be started in a namespace. */
  inside(side: Side, program: string, args: readonly string[]): { readonly program: string; readonly args: string[] } {
    return { program: 'ip', args: this.#inside(side, [program, ...args]) };
  }

  #inside(side: Side, command: readonly string[]): string[] {
    return ['netns', 'exec', this.#names[side], ...command];
  }

  /** Removes both, and the links with them. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#removeAtExit);
    this.#removeAtExit();
  }
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

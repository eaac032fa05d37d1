import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatIp, isIpv4, parseSocketAddress, plainAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';

/** All addresses of a host, literals, in the order in which they are to be tried. Rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export type Family = 4 | 6;

/** By the system's resolver, which heeds /etc/hosts and sorts as RFC 6724 says. */
export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** Where a receiver can be reached, by family: a link takes what is of its own. */
export class ReceiverAddresses {
  readonly #resolve: Resolve;
  #found: readonly AddressWords[] = [];
  #isLooking = false;
  /** Counts what made the answers to earlier questions worthless. */
  #epoch = 0;
  /** Why the last look found nothing; '' when it did, or has not ended. */
  problem = '';

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** Looks again, unless that is being done. What is known stays when there is no answer. `done` is told whether anything is different. */
  look(host: string, port: number, done: (hasChanged: boolean) => void): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const epoch = this.#epoch;
    void this.#find(host, port).then((found) => {
      if (epoch !== this.#epoch) return;
      this.#isLooking = false;
      this.problem = typeof found === 'string' ? found : '';
      const known = this.texts().join();
      if (typeof found !== 'string') this.#found = found;
      done(this.texts().join() !== known);
    });
  }

  /** It is another receiver now. */
  forget(): void {
    this.#epoch += 1;
    this.#isLooking = false;
    this.#found = [];
    this.problem = '';
  }

  /** The addresses, or why there are none. */
  async #find(host: string, port: number): Promise<readonly AddressWords[] | string> {
    try {
      const literals = isIP(host) === 0 ? await this.#resolve(host) : [host];
      if (literals.length > 0) return literals.map((literal) => plainAddress(parseSocketAddress(literal, port)));
      return `${host} has no address`;
    } catch (error) {
      return `${host} cannot be resolved: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** The address whose turn it is; undefined when there is none of that family. */
  pick(family: Family, turn: number): AddressWords | undefined {
    const candidates = this.#of(family);
    return candidates.length === 0 ? undefined : candidates[turn % candidates.length];
  }

  has(family: Family): boolean {
    return this.#of(family).length > 0;
  }

  /** All of them. */
  texts(): string[] {
    return this.#found.map(formatIp);
  }

  #of(family: Family): AddressWords[] {
    return this.#found.filter((address) => isIpv4(address) === (family === 4));
  }
}

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
  readonly #host: string;
  readonly #port: number;
  readonly #resolve: Resolve;
  #found: readonly AddressWords[] = [];
  /** Why the last look found nothing; '' when it did. */
  problem = '';

  constructor(host: string, port: number, resolve: Resolve) {
    this.#host = host;
    this.#port = port;
    this.#resolve = resolve;
  }

  /** Looks again. What is known stays when there is no answer. Returns whether anything is different now. */
  async refresh(): Promise<boolean> {
    try {
      const literals = isIP(this.#host) === 0 ? await this.#resolve(this.#host) : [this.#host];
      const addresses = literals.map((literal) => plainAddress(parseSocketAddress(literal, this.#port)));
      if (addresses.length === 0) throw new Error('it has no address');
      const known = this.texts().join();
      this.#found = addresses;
      this.problem = '';
      return this.texts().join() !== known;
    } catch (error) {
      this.problem = `${this.#host} cannot be resolved: ${error instanceof Error ? error.message : String(error)}`;
      return false;
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

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StreamPages } from './stream-pages.ts';
import type { UplinkPages } from './uplink-pages.ts';

const PATH = '/stats';
const UPLINKS_PATH = '/uplinks';

/**
 * Streams and their links as JSON, for scene switchers, which can only be given an address: so the key may stand in it, `?key=`, beside
 * `Authorization: Bearer`. A server of its own, since the admin server is not for the world: this one shows names and figures of streams.
 */
export class StatisticsServer {
  readonly #server: Server;
  readonly #pages: StreamPages;
  readonly #uplinks: UplinkPages;
  readonly #key: Buffer;

  constructor(pages: StreamPages, uplinks: UplinkPages, readKey: string) {
    this.#pages = pages;
    this.#uplinks = uplinks;
    this.#key = digest(readKey);
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Resolves with the bound port. */
  listen(bindAddress: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, bindAddress, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, { status: 'GET or HEAD only' });
    const url = URL.parse(request.url ?? '', 'http://host');
    if (url === null) return send(response, 400, { status: 'the path cannot be read' });
    if (!this.#mayRead(request, url)) {
      response.setHeader('www-authenticate', 'Bearer');
      return send(response, 401, { status: 'a read key is required' });
    }
    if (url.pathname === PATH) return send(response, 200, this.#pages.all());
    if (url.pathname === UPLINKS_PATH) return send(response, 200, this.#uplinks.all());
    const name = nameOf(url.pathname);
    if (name === undefined) return send(response, 404, { status: `pages: ${PATH} ${PATH}/<stream> ${UPLINKS_PATH}` });
    return send(response, 200, this.#pages.one(name));
  }

  #mayRead({ headers }: IncomingMessage, url: URL): boolean {
    const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    // Digests have one length, so the comparison takes the same time whatever was given.
    return timingSafeEqual(digest(bearer ?? url.searchParams.get('key') ?? ''), this.#key);
  }
}

function nameOf(pathname: string): string | undefined {
  if (!pathname.startsWith(`${PATH}/`)) return undefined;
  try {
    return decodeURIComponent(pathname.slice(PATH.length + 1));
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

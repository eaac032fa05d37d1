import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AdminSources {
  metrics(): Promise<string>;
  /** Why the process should be restarted; undefined while it is well. */
  unhealthy(): string | undefined;
  /** Why it should get no traffic; undefined when it should. Never because it is full: Kubernetes deletes unready pods first. */
  unready(): string | undefined;
  status(): object;
}

type Page = readonly [status: number, type: string, body: string];

const TEXT = 'text/plain; charset=utf-8';
/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** /metrics, /healthz, /readyz and a status page as JSON, for operators and Kubernetes. */
export class AdminServer {
  private readonly server: Server;
  private readonly sources: AdminSources;

  constructor(sources: AdminSources) {
    this.sources = sources;
    this.server = createServer((request, response) => {
      this.page(request)
        .catch((error: unknown): Page => [500, TEXT, `${String(error)}\n`])
        .then((page) => send(request, response, page));
    });
  }

  /** Resolves with the bound port. */
  listen(bindAddress: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, bindAddress, () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private async page(request: IncomingMessage): Promise<Page> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return [405, TEXT, 'GET or HEAD only\n'];
    switch (request.url?.split('?')[0]) {
      case '/metrics':
        return [200, PROMETHEUS, await this.sources.metrics()];
      case '/healthz':
        return verdict(this.sources.unhealthy());
      case '/readyz':
        return verdict(this.sources.unready());
      case '/':
        return [200, 'application/json', `${JSON.stringify(this.sources.status(), null, 2)}\n`];
      default:
        return [404, TEXT, 'pages: / /metrics /healthz /readyz\n'];
    }
  }
}

function verdict(complaint: string | undefined): Page {
  return complaint === undefined ? [200, TEXT, 'ok\n'] : [503, TEXT, `${complaint}\n`];
}

function send(request: IncomingMessage, response: ServerResponse, [status, type, body]: Page): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

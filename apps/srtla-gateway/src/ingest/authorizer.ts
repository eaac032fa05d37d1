import { readFileSync } from 'node:fs';
import type { Bus } from '@mediaplane/control';
import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { clientCredentials, ConfigError, createClient } from '@mediaplane/service';
import type { ServiceClient } from '@mediaplane/service';

type Client = ServiceClient<srtla.IngestAuthorizerServiceDefinition>;

/** Connections that are kept; as many integrators as a gateway ever has. */
const MAX_CLIENTS = 32;

export interface AuthorizerOptions {
  readonly bus: Pick<Bus, 'request'>;
  readonly timeoutMs: number;
  /** '': gRPC without TLS. */
  readonly caFile: string;
  /** '': without a token. */
  readonly tokenFile: string;
}

/** Asks those whom callbacks name. */
export class Authorizer implements Disposable {
  readonly #options: AuthorizerOptions;
  /** By target; the one used longest ago first. */
  readonly #clients = new Map<string, Client>();
  /** That the clients show. */
  #token: string;

  /** @throws ConfigError for a file that cannot be read */
  constructor(options: AuthorizerOptions) {
    this.#options = options;
    requireFile('ingest.callbackCaFile', options.caFile);
    requireFile('ingest.callbackTokenFile', options.tokenFile);
    this.#token = this.#readToken();
  }

  /** Rejects with ServiceError when there is no answer in time. */
  ask({ target }: srtla.IngestCallback, request: srtla.AuthorizeIngestRequest): Promise<srtla.AuthorizeIngestResponse> {
    switch (target?.$case) {
      case 'grpcTarget':
        return this.#client(target.value).authorizeIngest(request, { timeoutMs: this.#options.timeoutMs });
      case 'busSubject':
        return this.#askOnBus(target.value, request);
      default:
        throw new ServiceError('FAILED_PRECONDITION', 'NO_CALLBACK', 'the callback names nobody');
    }
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client[Symbol.dispose]();
    this.#clients.clear();
  }

  async #askOnBus(subject: string, request: srtla.AuthorizeIngestRequest): Promise<srtla.AuthorizeIngestResponse> {
    const payload = srtla.AuthorizeIngestRequest.encode(request).finish();
    const { bus, timeoutMs } = this.#options;
    return srtla.AuthorizeIngestResponse.decode(await bus.request(subject, payload, { timeoutMs }));
  }

  #client(target: string): Client {
    const token = this.#readToken();
    if (token !== this.#token) {
      // Calls that are under way end in their own time.
      for (const client of this.#clients.values()) client[Symbol.dispose]();
      this.#clients.clear();
      this.#token = token;
    }
    const known = this.#clients.get(target);
    const client = known ?? this.#connect(target);
    this.#clients.delete(target);
    this.#clients.set(target, client);
    if (this.#clients.size > MAX_CLIENTS) {
      const [[oldest, { [Symbol.dispose]: close }]] = this.#clients;
      this.#clients.delete(oldest);
      close();
    }
    return client;
  }

  #connect(target: string): Client {
    const { caFile } = this.#options;
    return createClient(srtla.IngestAuthorizerServiceDefinition, target, {
      credentials: caFile === '' ? undefined : clientCredentials({ caFile }),
      bearerToken: this.#token === '' ? undefined : this.#token,
    });
  }

  /** Each time: such tokens live for an hour. '' for none. */
  #readToken(): string {
    const { tokenFile } = this.#options;
    return tokenFile === '' ? '' : readFileSync(tokenFile, 'utf8').trim();
  }
}

function requireFile(key: string, file: string): void {
  if (file === '') return;
  try {
    readFileSync(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`configuration: ${key} = ${JSON.stringify(file)}: must be a readable file (${why})`);
  }
}

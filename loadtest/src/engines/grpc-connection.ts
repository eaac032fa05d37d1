import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

/** Before each message: a byte that says whether it is compressed, and its length (gRPC over HTTP/2, Length-Prefixed-Message). */
const PREFIX_BYTES = 5;
const OK = 0;

/** A unary RPC as ts-proto describes it. */
export interface UnaryMethod<Request, Response> {
  readonly name: string;
  readonly requestType: { encode(message: Request): { finish(): Uint8Array } };
  readonly responseType: { decode(bytes: Uint8Array): Response };
}

/** What the server answered instead of a message. */
export class GrpcStatusError extends Error {
  override readonly name = 'GrpcStatusError';
  /** A number of google.rpc.Code. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Unary gRPC calls over one plain-text HTTP/2 connection, at less than half the CPU of a client of grpc-js: where the client shares
 * the machine with what it measures, it must not be the limit. No reconnecting, retries, compression or metadata.
 */
export class GrpcConnection implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #address: string;
  readonly #callWithinMs: number;

  private constructor(session: ClientHttp2Session, address: string, callWithinMs: number) {
    this.#session = session;
    this.#address = address;
    this.#callWithinMs = callWithinMs;
    // Each call under way reports it.
    session.on('error', () => undefined);
    // The server keeps the deadline of a call; this is for a server that has stopped altogether.
    session.setTimeout(2 * callWithinMs, () => session.destroy(new Error(`no answer for ${2 * callWithinMs} ms`)));
  }

  /** `address`: host and port. `callWithinMs`: the deadline of every call. */
  static async open(address: string, callWithinMs: number): Promise<GrpcConnection> {
    const session = connect(`http://${address}`, { settings: { enablePush: false } });
    await once(session, 'connect');
    return new GrpcConnection(session, address, callWithinMs);
  }

  /**
   * A function for one method of a service, whose full name includes its package. It rejects with GrpcStatusError, or with
   * another Error when the connection ends before the answer.
   */
  unary<Request, Response>(
    service: string,
    { name, requestType, responseType }: UnaryMethod<Request, Response>,
  ): (request: Request) => Promise<Response> {
    const path = `/${service}/${name}`;
    // Names and values by turns: Node takes them as they are, where an object would be taken apart for each call.
    const headers = [
      ...[':method', 'POST', ':scheme', 'http', ':authority', this.#address, ':path', path],
      ...['te', 'trailers', 'content-type', 'application/grpc', 'grpc-timeout', `${this.#callWithinMs}m`],
    ];
    return async (request) => {
      const stream = this.#session.request(headers);
      stream.end(framed(requestType.encode(request).finish()));
      return responseType.decode(await answerOf(stream, path));
    };
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** The one message of the answer. */
function answerOf(stream: ClientHttp2Stream, path: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let body: Buffer | undefined;
    let closing: IncomingHttpHeaders | undefined;
    let cause: Error | undefined;
    stream.on('data', (chunk: Buffer) => (body = body === undefined ? chunk : Buffer.concat([body, chunk])));
    // An answer without a message may have its status in the only headers there are ("Trailers-Only").
    stream.on('response', (headers) => (closing = headers));
    stream.on('trailers', (trailers) => (closing = trailers));
    stream.on('error', (error) => (cause = error));
    stream.on('close', () => {
      const status = closing?.['grpc-status'];
      if (status === undefined) reject(new Error(`${path}: the connection ended before the answer`, { cause }));
      else if (Number(status) !== OK) reject(new GrpcStatusError(Number(status), messageOf(closing)));
      else if (body === undefined || !isOneMessage(body))
        reject(new Error(`${path}: the answer is not one plain message`));
      else resolve(body.subarray(PREFIX_BYTES));
    });
  });
}

function isOneMessage(body: Buffer): boolean {
  return body.length >= PREFIX_BYTES && body[0] === 0 && body.readUInt32BE(1) === body.length - PREFIX_BYTES;
}

/** `grpc-message` is percent-encoded. */
function messageOf(closing: IncomingHttpHeaders | undefined): string {
  return decodeURIComponent(String(closing?.['grpc-message'] ?? ''));
}

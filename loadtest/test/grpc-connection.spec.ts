import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CloseChannelRequest, CloseChannelResponse, OpenChannelRequest } from '@mediaplane/proto';
import { RtpChannelServiceDefinition } from '@mediaplane/proto';
import { GrpcConnection } from '../src/engines/grpc-connection.ts';
import { RtpChannelProcess } from '../src/engines/rtp-channel.ts';

const CALL_WITHIN_MS = 10_000;
const { fullName, methods } = RtpChannelServiceDefinition;

describe('against rtp-channel', () => {
  let engine: RtpChannelProcess;
  let connection: GrpcConnection;

  beforeAll(async () => {
    engine = await RtpChannelProcess.start({ threads: 1, memoryProbe: false });
    connection = await GrpcConnection.open(engine.grpcAddress, CALL_WITHIN_MS);
  }, 30_000);
  afterAll(async () => {
    connection[Symbol.dispose]();
    await engine[Symbol.asyncDispose]();
  });

  test('calls that are under way at once get their own answers', async () => {
    const open = connection.unary(fullName, methods.openChannel);
    const close = connection.unary(fullName, methods.closeChannel);
    const names = Array.from({ length: 40 }, (_, i) => `call ${i}`);
    const closed = await Promise.all(
      names.map(async (name) => {
        const { channel } = await open(OpenChannelRequest.fromPartial({ settings: { labels: { name } } }));
        return close(CloseChannelRequest.fromPartial({ channelId: channel?.channelId ?? '' }));
      }),
    );
    expect(closed.map(({ record }) => record?.labels['name'])).toEqual(names);
  });

  test('an error has its status and message, and the connection goes on', async () => {
    const open = connection.unary(fullName, methods.openChannel);
    const request = OpenChannelRequest.fromPartial({ settings: { interface: 'größer' } });
    await expect(open(request)).rejects.toMatchObject({
      name: 'GrpcStatusError',
      status: 3,
      message: expect.stringContaining('größer'),
    });
    await expect(
      connection.unary(fullName, { ...methods.openChannel, name: 'NoSuchMethod' })(request),
    ).rejects.toMatchObject({
      status: 12,
    });
    await expect(
      connection.unary(fullName, methods.listChannels)({ pageSize: 0, pageToken: '', filter: '' }),
    ).resolves.toMatchObject({ channels: [] });
  });
});

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Calls CloseChannel of a server that answers as told. */
async function ask(answer: Answer): Promise<CloseChannelResponse> {
  const server = createServer();
  server.on('stream', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    using connection = await GrpcConnection.open(`127.0.0.1:${address.port}`, CALL_WITHIN_MS);
    return await connection.unary(fullName, methods.closeChannel)(CloseChannelRequest.fromPartial({ channelId: 'x' }));
  } finally {
    server.close();
  }
}

const ANSWER = CloseChannelResponse.fromPartial({ record: { channelId: 'x', text: 'z'.repeat(40_000) } });

function frame(flag: number, message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag, 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function respond(body: Buffer, trailers: Record<string, string>): Answer {
  return (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  };
}

describe('against a server of our own', () => {
  const whole = frame(0, CloseChannelResponse.encode(ANSWER).finish());

  test('a message may come in many frames', async () => {
    await expect(ask(respond(whole, { 'grpc-status': '0' }))).resolves.toEqual(ANSWER);
  });

  test('the request is one frame with path, deadline and content type', async () => {
    let seen: { headers: IncomingHttpHeaders; body: Buffer } | undefined;
    await ask((stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        seen = { headers, body: Buffer.concat(chunks) };
        respond(whole, { 'grpc-status': '0' })(stream, headers);
      });
    });
    expect(seen?.headers).toMatchObject({
      ':method': 'POST',
      ':path': `/${fullName}/CloseChannel`,
      te: 'trailers',
      'content-type': 'application/grpc',
      'grpc-timeout': '10000m',
    });
    expect(seen?.body).toEqual(
      frame(0, CloseChannelRequest.encode(CloseChannelRequest.fromPartial({ channelId: 'x' })).finish()),
    );
  });

  test('an error that comes as headers alone is an error', async () => {
    const answer: Answer = (stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '8', 'grpc-message': 'all %E2%82%AC gone' }, { endStream: true });
    await expect(ask(answer)).rejects.toMatchObject({ status: 8, message: 'all € gone' });
  });

  test.each([
    ['cut short', whole.subarray(0, -1)],
    ['compressed', frame(1, CloseChannelResponse.encode(ANSWER).finish())],
    ['empty', Buffer.alloc(0)],
  ])('an answer that is %s is refused', async (_, body) => {
    await expect(ask(respond(body, { 'grpc-status': '0' }))).rejects.toThrow('not one plain message');
  });

  test('a connection that ends leaves no call waiting', async () => {
    await expect(ask((stream) => stream.session?.destroy())).rejects.toThrow('the connection ended before the answer');
  });
});

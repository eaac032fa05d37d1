import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A TCP relay on loopback that can be cut, to part one instance from a server that others still reach. */
export interface TcpLink extends AsyncDisposable {
  readonly port: number;
  /** Connections stay open but carry nothing, as when a cable is pulled; new ones are taken and get no answer. */
  cut(): void;
  /** What was held back flows on. */
  heal(): void;
  /** Breaks all connections (RST); new ones work. */
  reset(): void;
  /** Ends it and its connections. Idempotent. */
  close(): Promise<void>;
}

/** Relays to `targetPort` of 127.0.0.1 from a free port, `link.port`. */
export async function startTcpLink(targetPort: number): Promise<TcpLink> {
  const sockets = new Set<Socket>();
  let isCut = false;

  const relay = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (!isCut) from.resume();
    });
    // An error is followed by `close`, and the other side shares the fate.
    from.on('error', () => {});
    from.on('end', () => to.end());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    if (isCut) from.pause();
  };

  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    relay(near, far);
    relay(far, near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');

  const forAll = (action: (socket: Socket) => void): void => [...sockets].forEach(action);
  const close = async (): Promise<void> => {
    forAll((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    port: address.port,
    cut: () => {
      isCut = true;
      forAll((socket) => socket.pause());
    },
    heal: () => {
      isCut = false;
      forAll((socket) => socket.resume());
    },
    reset: () => forAll((socket) => socket.resetAndDestroy()),
    close,
    [Symbol.asyncDispose]: close,
  };
}

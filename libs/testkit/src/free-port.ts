import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A port of `host` that was free a moment ago, in TCP and in UDP. Somebody else may take it before you do: let servers choose (port 0)
 * and say what they chose wherever they can.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const isFree = await isFreeInUdp(port, host);
    server.close();
    await once(server, 'close');
    if (isFree) return port;
  }
}

async function isFreeInUdp(port: number, host: string): Promise<boolean> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    socket.close();
  }
}

import { createSocket } from 'node:dgram';
import { formatIp, SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';

/** The address of this machine that the system would send from towards `server`. Nothing is sent. Rejects when there is no way. */
export async function sourceTowards(server: AddressWords): Promise<string> {
  const target = new SocketAddress().copyFrom(server);
  const socket = createSocket(target.isIpv4 ? 'udp4' : 'udp6');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(server.port, formatIp(target), () => resolve());
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}

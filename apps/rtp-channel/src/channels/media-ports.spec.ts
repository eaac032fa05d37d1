import { expect, test } from '@jest/globals';
import { parseInterfaces, PortPool } from '@mediaplane/net';
import type { UdpSocketHandle, UdpSocketOptions, UdpSockets } from '@mediaplane/net';
import { MediaPorts } from './media-ports.ts';

/** Sockets as far as ports go. */
class FakeSockets implements UdpSockets {
  readonly capabilities = {
    implementation: 'dgram',
    blocking: false,
    tos: false,
    gso: false,
    kernelDrops: false,
  } as const;
  readonly bound = new Map<number, string>();
  #lastId = 0;

  async open({ address, port }: UdpSocketOptions): Promise<UdpSocketHandle> {
    const id = ++this.#lastId;
    this.bound.set(id, `${address}:${port}`);
    const sizes = { receiveBufferBytes: 0, sendBufferBytes: 0 };
    return { id, implementation: 'dgram', fd: -1, address, port, dscp: 0, ...sizes };
  }

  close({ id }: UdpSocketHandle): void {
    this.bound.delete(id);
  }

  kernelDrops(): number {
    return -1;
  }
}

test('a private leg holds one socket, on the private address, and gives its whole pair back', async () => {
  const sockets = new FakeSockets();
  const pool = new PortPool({ sockets, minPort: 10_000, maxPort: 10_001, quietMs: 0, random: () => 0, nowMs: () => 0 });
  const [bindAddress, privateAddress] = ['192.0.2.1', '10.0.0.1'];
  const outside = { name: 'outside', bindAddress, advertisedAddress: bindAddress, privateAddress };
  const ports = new MediaPorts(pool, sockets, parseInterfaces([outside]));
  const leg = await ports.openPeerLeg('outside');
  expect([...sockets.bound.values()]).toEqual(['10.0.0.1:10000']);
  await expect(ports.openChannel('outside')).rejects.toMatchObject({ code: 'ports-exhausted' });
  ports.release(leg);
  expect(sockets.bound.size).toBe(0);
  await ports.openChannel('outside');
  expect([...sockets.bound.values()]).toEqual(['192.0.2.1:10000', '192.0.2.1:10001']);
});

import { describe, expect, test } from '@jest/globals';
import { NetError, parseSocketAddress, plainAddress } from '@mediaplane/net';
import type { UdpSocketHandle, UdpSocketOptions, UdpSockets } from '@mediaplane/net';
import { UpstreamPorts } from './upstream-ports.ts';

const LOOPBACK = '127.0.0.1';
const SERVER = plainAddress(parseSocketAddress('192.0.2.9', 5002));

/** A system in which others hold some ports. */
class Sockets implements UdpSockets {
  readonly capabilities = {
    implementation: 'dgram',
    blocking: false,
    tos: false,
    gso: false,
    kernelDrops: false,
  } as const;
  readonly taken = new Set<number>();
  readonly peers: UdpSocketOptions['peer'][] = [];
  #id = 0;

  async open({ address, port, peer }: UdpSocketOptions): Promise<UdpSocketHandle> {
    this.peers.push(peer);
    if (this.taken.has(port)) throw new NetError('address-in-use', `${port}`);
    if (address !== LOOPBACK) throw new NetError('address-not-available', address);
    this.taken.add(port);
    this.#id += 1;
    return {
      id: this.#id,
      implementation: 'dgram',
      fd: -1,
      address,
      port,
      dscp: 0,
      receiveBufferBytes: 0,
      sendBufferBytes: 0,
    };
  }

  close({ port }: UdpSocketHandle): void {
    this.taken.delete(port);
  }

  kernelDrops(): number {
    return -1;
  }
}

function portsOf(sockets: Sockets): UpstreamPorts {
  return new UpstreamPorts({ sockets, minPort: 100, maxPort: 104, socketOptions: {} });
}

describe('ports towards SRT servers', () => {
  test('are connected to them, new ones and those of before', async () => {
    const sockets = new Sockets();
    const ports = portsOf(sockets);
    await ports.open(LOOPBACK, SERVER);
    await ports.reopen(LOOPBACK, 7, SERVER);
    expect(sockets.peers).toEqual([SERVER, SERVER]);
  });

  test('each once, until none is left; the one released longest ago comes first', async () => {
    const ports = portsOf(new Sockets());
    const open = [];
    for (let i = 0; i < 5; i += 1) open.push(await ports.open(LOOPBACK, SERVER));
    expect(open.map(({ port }) => port).sort()).toEqual([100, 101, 102, 103, 104]);
    await expect(ports.open(LOOPBACK, SERVER)).rejects.toMatchObject({ code: 'ports-exhausted' });
    ports.release(open[3]);
    ports.release(open[1]);
    ports.release(open[1]);
    expect(ports.used).toBe(3);
    expect((await ports.open(LOOPBACK, SERVER)).port).toBe(open[3].port);
    expect((await ports.open(LOOPBACK, SERVER)).port).toBe(open[1].port);
  });

  test('those that others hold are passed over, and come again', async () => {
    const sockets = new Sockets();
    for (const port of [100, 101, 102, 103]) sockets.taken.add(port);
    const ports = portsOf(sockets);
    expect((await ports.open(LOOPBACK, SERVER)).port).toBe(104);
    await expect(ports.open(LOOPBACK, SERVER)).rejects.toMatchObject({ code: 'ports-exhausted' });
    sockets.taken.delete(102);
    expect((await ports.open(LOOPBACK, SERVER)).port).toBe(102);
  });

  test('the port of before, also one out of the range, unless another has it', async () => {
    const sockets = new Sockets();
    const ports = portsOf(sockets);
    const again = await ports.reopen(LOOPBACK, 103, SERVER);
    const outside = await ports.reopen(LOOPBACK, 7, SERVER);
    await expect(ports.reopen(LOOPBACK, 103, SERVER)).rejects.toMatchObject({ code: 'address-in-use' });
    const others = [];
    for (let i = 0; i < 4; i += 1) others.push((await ports.open(LOOPBACK, SERVER)).port);
    expect(others.sort()).toEqual([100, 101, 102, 104]);
    ports.release(again);
    ports.release(outside);
    expect((await ports.open(LOOPBACK, SERVER)).port).toBe(103);
    await expect(ports.open(LOOPBACK, SERVER)).rejects.toMatchObject({ code: 'ports-exhausted' });
  });

  test('another refusal costs no port', async () => {
    const ports = portsOf(new Sockets());
    for (let i = 0; i < 9; i += 1) {
      await expect(ports.open('192.0.2.1', SERVER)).rejects.toMatchObject({ code: 'address-not-available' });
    }
    expect(ports.used).toBe(0);
    expect((await ports.open(LOOPBACK, SERVER)).port).toBeGreaterThanOrEqual(100);
  });
});

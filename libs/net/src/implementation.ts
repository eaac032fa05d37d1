import { DgramPacketIo } from './dgram-packet-io.ts';
import { DgramUdpSockets } from './dgram-udp-sockets.ts';
import { NativePacketIo } from './native-packet-io.ts';
import { NativeUdpSockets } from './native-udp-sockets.ts';
import type { NetImplementation, PacketIo, PacketIoOptions, UdpSockets } from './packet-io.ts';

/** Native on Linux x64 and arm64 unless `MEDIAPLANE_NET` is `dgram`; pass `process.env`, `process.platform` and `process.arch`. */
export function defaultImplementation(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  arch: string,
): NetImplementation {
  const supported = platform === 'linux' && (arch === 'x64' || arch === 'arm64');
  return supported && env['MEDIAPLANE_NET'] !== 'dgram' ? 'native' : 'dgram';
}

export function createUdpSockets(implementation: NetImplementation): UdpSockets {
  return implementation === 'native' ? new NativeUdpSockets() : new DgramUdpSockets();
}

export function createPacketIo(options: PacketIoOptions & { readonly implementation: NetImplementation }): PacketIo {
  return options.implementation === 'native' ? new NativePacketIo(options) : new DgramPacketIo(options);
}

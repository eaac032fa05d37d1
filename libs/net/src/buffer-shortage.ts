import type { UdpSocketHandle, UdpSocketOptions } from './packet-io.ts';

/** Linux grants twice what was asked for, to hold its own structures (socket(7)). */
const GRANTED_PER_ASKED = 2;

/**
 * What an operator has to set so that a socket gets the buffers that were asked for, one sentence for each that is smaller;
 * to be logged at start. Empty off Linux, whose limits it knows.
 */
export function bufferShortages(
  asked: Pick<UdpSocketOptions, 'receiveBufferBytes' | 'sendBufferBytes'>,
  granted: Pick<UdpSocketHandle, 'receiveBufferBytes' | 'sendBufferBytes'>,
  platform: string,
): string[] {
  if (platform !== 'linux') return [];
  return [
    ...shortage('receive', 'net.core.rmem_max', asked.receiveBufferBytes, granted.receiveBufferBytes),
    ...shortage('send', 'net.core.wmem_max', asked.sendBufferBytes, granted.sendBufferBytes),
  ];
}

function shortage(buffer: string, sysctl: string, askedBytes = 0, grantedBytes: number): string[] {
  const usableBytes = Math.floor(grantedBytes / GRANTED_PER_ASKED);
  if (usableBytes >= askedBytes) return [];
  return [
    `the ${buffer} buffer has ${usableBytes} bytes of the ${askedBytes} asked for: ` +
      `set ${sysctl}=${askedBytes} on the host (sysctl -w), or grant CAP_NET_ADMIN`,
  ];
}

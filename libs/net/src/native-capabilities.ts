import {
  AF_INET,
  IP_TOS,
  UDP_SEGMENT,
  closeDescriptor,
  openUdpSocket,
  setSocketOption,
  socketDrops,
  socketOption,
} from '@mediaplane/native';
import type { NetCapabilities } from './packet-io.ts';

let probed: NetCapabilities | undefined;

/** Asks this kernel, once a thread, with a socket opened for it. @throws SystemCallError, NativeUnavailableError */
export function nativeCapabilities(): NetCapabilities {
  return (probed ??= probe());
}

function probe(): NetCapabilities {
  const fd = openUdpSocket(AF_INET);
  try {
    return {
      implementation: 'native',
      blocking: true,
      tos: setSocketOption(fd, IP_TOS, 46 << 2),
      gso: socketOption(fd, UDP_SEGMENT) >= 0,
      kernelDrops: socketDrops(fd) >= 0,
    };
  } finally {
    closeDescriptor(fd);
  }
}

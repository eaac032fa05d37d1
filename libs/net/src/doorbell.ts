import { closeDescriptor, openEventfd, ringEventfd } from '@mediaplane/native';
import { netErrorFrom } from './errors.ts';
import type { DoorbellHandle, NetImplementation } from './packet-io.ts';

/** dgram needs none: the message that a ring would announce wakes its event loop by itself. @throws NetError */
export function createDoorbell(implementation: NetImplementation): DoorbellHandle {
  if (implementation === 'dgram') return { fd: -1 };
  try {
    return { fd: openEventfd() };
  } catch (error) {
    throw netErrorFrom('doorbell', error);
  }
}

/** From any thread; rings before the next `receive` are one. */
export function ring(handle: DoorbellHandle): void {
  if (handle.fd >= 0) ringEventfd(handle.fd);
}

/** Once, when no thread rings or waits any more: the descriptor is given out again. */
export function closeDoorbell(handle: DoorbellHandle): void {
  if (handle.fd >= 0) closeDescriptor(handle.fd);
}

/** Closes `PacketIo.descriptors` of a thread that died without closing them itself. */
export function closeLeftDescriptors(descriptors: readonly number[]): void {
  for (const fd of descriptors) closeDescriptor(fd);
}

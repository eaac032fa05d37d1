import { Arena, addressIn } from './arena.ts';
import { closeDescriptor } from './socket.ts';
import { libc, orThrow } from './libc.ts';
import { AF_INET } from './sockaddr.ts';
import type { AddressFamily } from './sockaddr.ts';

/** One question to the kernel's routing tables: rtnetlink(7). Off the hot path. */

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;

/*
 * struct nlmsghdr: 0 nlmsg_len  4 nlmsg_type (u16)  6 nlmsg_flags (u16)  8 nlmsg_seq  12 nlmsg_pid
 * struct rtmsg:    0 family  1 dst_len  2 src_len  3 tos  4 table  5 protocol  6 scope  7 type  8 flags (u32)
 * struct rtattr:   0 rta_len (u16)  2 rta_type (u16)  4 data, padded to 4
 */
const NLMSGHDR_BYTES = 16;
const RTMSG_BYTES = 12;
const ATTRIBUTE_HEADER_BYTES = 4;
const NLMSG_ERROR = 2;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const NLM_F_REQUEST = 1;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;

const IF_NAMESIZE = 16;
const REPLY_BYTES = 8192;

/** What the kernel answers: by which device it would send, or the errno with which it would refuse to. */
export type RouteReply =
  | { readonly deviceIndex: number; readonly gateway: Uint8Array | null; readonly errno?: never }
  | { readonly errno: number };

/**
 * Addresses are 4 or 16 bytes in network order, both of the same family.
 * @returns the length of the request
 */
export function encodeRouteRequest(
  view: DataView,
  family: AddressFamily,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  const attributeBytes = ATTRIBUTE_HEADER_BYTES + source.length;
  const length = NLMSGHDR_BYTES + RTMSG_BYTES + 2 * attributeBytes;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, length).fill(0);
  view.setUint32(0, length, true);
  view.setUint16(4, RTM_GETROUTE, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint8(NLMSGHDR_BYTES, family);
  view.setUint8(NLMSGHDR_BYTES + 1, destination.length * 8);
  view.setUint8(NLMSGHDR_BYTES + 2, source.length * 8);
  let at = NLMSGHDR_BYTES + RTMSG_BYTES;
  for (const [type, address] of [
    [RTA_DST, destination],
    [RTA_SRC, source],
  ] as const) {
    view.setUint16(at, attributeBytes, true);
    view.setUint16(at + 2, type, true);
    bytes.set(address, at + ATTRIBUTE_HEADER_BYTES);
    at += attributeBytes;
  }
  return length;
}

/** @returns undefined for bytes that answer nothing of ours */
export function decodeRouteReply(bytes: Uint8Array): RouteReply | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < NLMSGHDR_BYTES + 4) return undefined;
  const end = Math.min(view.getUint32(0, true), bytes.length);
  const type = view.getUint16(4, true);
  if (type === NLMSG_ERROR) return { errno: -view.getInt32(NLMSGHDR_BYTES, true) };
  if (type !== RTM_NEWROUTE) return undefined;
  let deviceIndex: number | undefined;
  let gateway: Uint8Array | null = null;
  for (let at = NLMSGHDR_BYTES + RTMSG_BYTES; at + ATTRIBUTE_HEADER_BYTES <= end;) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > end) return undefined;
    const attribute = view.getUint16(at + 2, true);
    const data = bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length);
    if (attribute === RTA_OIF && data.length === 4) deviceIndex = view.getUint32(at + ATTRIBUTE_HEADER_BYTES, true);
    if (attribute === RTA_GATEWAY) gateway = data.slice();
    at += (length + 3) & ~3;
  }
  return deviceIndex === undefined ? undefined : { deviceIndex, gateway };
}

/** Asks this network namespace how it would send from `source` to `destination`. @throws SystemCallError where it may not be asked */
export function queryRoute(family: AddressFamily, source: Uint8Array, destination: Uint8Array): RouteReply | undefined {
  const addressBytes = family === AF_INET ? 4 : 16;
  if (source.length !== addressBytes || destination.length !== addressBytes) {
    throw new RangeError(`addresses of ${source.length} and ${destination.length} bytes: must be ${addressBytes}`);
  }
  const arena = new Arena(REPLY_BYTES);
  const fd = orThrow('socket', libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  try {
    const length = encodeRouteRequest(arena.view, family, source, destination);
    orThrow('sendto', libc().sendto(fd, addressIn(arena, 0, length), length, 0, 0, 0));
    // The kernel has answered when sendto returns.
    const reply = addressIn(arena, 0, REPLY_BYTES);
    const received = orThrow('recvfrom', libc().recvfrom(fd, reply, REPLY_BYTES, MSG_DONTWAIT, 0, 0));
    return decodeRouteReply(arena.bytes.subarray(0, received));
  } finally {
    closeDescriptor(fd);
    arena.close();
  }
}

/** Such as `eth0`. @throws SystemCallError if there is no such device (any more) */
export function deviceName(deviceIndex: number): string {
  const arena = new Arena(IF_NAMESIZE);
  try {
    const found = libc().if_indextoname(deviceIndex, addressIn(arena, 0, IF_NAMESIZE));
    orThrow('if_indextoname', found === 0 ? -1 : 0);
    return Buffer.from(arena.bytes.subarray(0, arena.bytes.indexOf(0))).toString('latin1');
  } finally {
    arena.close();
  }
}

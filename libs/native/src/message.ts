/*
 * struct msghdr on LP64, 56 bytes (sendmsg(2), recvmsg(2)):
 *   0 msg_name*  8 msg_namelen (u32)  16 msg_iov*  24 msg_iovlen  32 msg_control*  40 msg_controllen  48 msg_flags
 * struct iovec: 0 iov_base*  8 iov_len
 * struct cmsghdr: 0 cmsg_len (size_t)  8 cmsg_level  12 cmsg_type  16 data
 * Of 64-bit lengths only the lower half is ever written.
 */
export const MSGHDR_BYTES = 56;
export const MSG_NAMELEN_OFFSET = 8;
export const MSG_IOV_OFFSET = 16;
export const MSG_IOVLEN_OFFSET = 24;
export const MSG_CONTROL_OFFSET = 32;
export const MSG_CONTROLLEN_OFFSET = 40;
export const IOVEC_BYTES = 16;
export const IOVEC_LENGTH_OFFSET = 8;
export const CMSG_LEVEL_OFFSET = 8;
export const CMSG_TYPE_OFFSET = 12;
export const CMSG_DATA_OFFSET = 16;

/** A pointer: 64 bits in two halves, no BigInt; user-space addresses stay below 2^53. */
export function writeAddress(view: DataView, at: number, address: number): void {
  view.setUint32(at, address % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(address / 2 ** 32), true);
}

import { readFile } from 'node:fs/promises';

/**
 * SRT data packets in a capture of tcpdump. The file is a pcap file of this machine's byte order with link type LINUX_SLL2
 * (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html), whose packets tell the interface.
 */
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINK_TYPE_SLL2 = 276;
const SLL2_HEADER_BYTES = 20;
const SLL2_INTERFACE_OFFSET = 4;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_UDP = 17;
const UDP_HEADER_BYTES = 8;
const SRT_HEADER_BYTES = 16;
/** In the second word of a data packet. */
const RETRANSMITTED_BIT = 1 << 26;

export interface CapturedData {
  readonly unixMs: number;
  /** Number of the network interface. */
  readonly interface: number;
  readonly sequence: number;
  /** SRT has sent it again (R bit). */
  readonly isRetransmission: boolean;
}

/** `dataBytes`: of an SRT data packet, by which a run of segments that the system was given at once is taken apart. */
export async function readCapture(path: string, dataBytes: number): Promise<CapturedData[]> {
  return parseCapture(await readFile(path), dataBytes);
}

/** A record that is cut short at the end of the file is left out. @throws Error when it is no such file */
export function parseCapture(file: Buffer, dataBytes: number): CapturedData[] {
  if (file.length < FILE_HEADER_BYTES || file.readUInt32LE(0) !== MAGIC_MICROSECONDS) throw new Error('no pcap file');
  const linkType = file.readUInt32LE(20);
  if (linkType !== LINK_TYPE_SLL2) throw new Error(`a capture of link type ${linkType}, not LINUX_SLL2`);
  const found: CapturedData[] = [];
  let at = FILE_HEADER_BYTES;
  while (at + RECORD_HEADER_BYTES <= file.length) {
    const unixMs = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    const start = at + RECORD_HEADER_BYTES;
    at = start + file.readUInt32LE(at + 8);
    if (at > file.length) break;
    addData(found, file.subarray(start, at), unixMs, dataBytes);
  }
  return found;
}

function addData(found: CapturedData[], frame: Buffer, unixMs: number, dataBytes: number): void {
  if (frame.length < SLL2_HEADER_BYTES + 20 || frame.readUInt16BE(0) !== ETHERTYPE_IPV4) return;
  if (frame[SLL2_HEADER_BYTES + 9] !== PROTOCOL_UDP) return;
  const payload = SLL2_HEADER_BYTES + (frame[SLL2_HEADER_BYTES] & 15) * 4 + UDP_HEADER_BYTES;
  for (let at = payload; at + SRT_HEADER_BYTES <= frame.length; at += dataBytes) {
    const sequence = frame.readUInt32BE(at);
    // Control packets, and SRTLA's own.
    if (sequence >= 0x8000_0000) return;
    found.push({
      unixMs,
      interface: frame.readUInt32BE(SLL2_INTERFACE_OFFSET),
      sequence,
      isRetransmission: (frame.readUInt32BE(at + 4) & RETRANSMITTED_BIT) !== 0,
    });
  }
}

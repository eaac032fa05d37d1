import type { RtpHeader } from './rtp-header.ts';
import { RTP_FIXED_HEADER_BYTES } from './rtp-header.ts';

/** "Defined by profile" of a one-byte header extension (RFC 8285 4.2). */
export const ONE_BYTE_PROFILE = 0xbede;
/** The same of the two-byte form; its lowest four bits are the application's (RFC 8285 4.3). */
export const TWO_BYTE_PROFILE = 0x1000;
const TWO_BYTE_PROFILE_MASK = 0xfff0;

const EXTENSION_BIT = 0x10;
const CSRC_COUNT_MASK = 0x0f;
const EXTENSION_HEADER_BYTES = 4;
/** In the one-byte form: ends the elements, whatever follows. */
const RESERVED_ID = 15;

/** Walks the elements of a packet's header extension; one cursor serves all packets. */
export class HeaderExtensionCursor {
  /** Of the element that `next` or `find` has come to: 1 to 14, in the two-byte form 1 to 255. */
  id = 0;
  /** Absolute. */
  dataOffset = 0;
  /** 1 to 16, in the two-byte form 0 to 255. */
  dataLength = 0;

  private view: DataView = EMPTY;
  private start = 0;
  private position = 0;
  private end = 0;
  private twoByte = false;

  /** Starts at the first element. An extension that is of neither form has none. */
  begin(view: DataView, header: RtpHeader): void {
    this.view = view;
    this.twoByte = (header.extensionProfile & TWO_BYTE_PROFILE_MASK) === TWO_BYTE_PROFILE;
    const known = this.twoByte || header.extensionProfile === ONE_BYTE_PROFILE;
    this.start = header.extensionOffset;
    this.position = this.start;
    this.end = this.start + (known ? header.extensionLength : 0);
  }

  /** Comes to the next element; false at the end, or where the rest makes no sense. */
  next(): boolean {
    // RFC 8285 4.2 and 4.3
    //  0 1 2 3 4 5 6 7             0                   1
    // +-+-+-+-+-+-+-+-+            0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
    // |  ID   |  len  |           +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // +-+-+-+-+-+-+-+-+           |       ID      |     length    |
    //  len + 1 bytes of data      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    const { view } = this;
    while (this.position < this.end) {
      const first = view.getUint8(this.position);
      if (first === 0) {
        this.position++;
        continue;
      }
      let data = this.position + 1;
      if (this.twoByte) {
        if (data >= this.end) break;
        this.id = first;
        this.dataLength = view.getUint8(data);
        data++;
      } else {
        this.id = first >> 4;
        this.dataLength = (first & 0x0f) + 1;
        if (this.id === 0 || this.id === RESERVED_ID) break;
      }
      if (data + this.dataLength > this.end) break;
      this.dataOffset = data;
      this.position = data + this.dataLength;
      return true;
    }
    this.position = this.end;
    return false;
  }

  /** Comes to the first element with this id; false when there is none. */
  find(id: number): boolean {
    this.position = this.start;
    while (this.next()) if (this.id === id) return true;
    return false;
  }
}

/** Appends a header extension to a fixed header (with its CSRC, if any) that has been written and has no payload yet. */
export class HeaderExtensionWriter {
  private view: DataView = EMPTY;
  private packet = 0;
  private start = 0;
  private position = 0;
  private twoByte = false;

  begin(view: DataView, packetOffset: number, twoByte: boolean): void {
    this.view = view;
    this.packet = packetOffset;
    this.twoByte = twoByte;
    this.start = packetOffset + RTP_FIXED_HEADER_BYTES + (view.getUint8(packetOffset) & CSRC_COUNT_MASK) * 4;
    this.position = this.start + EXTENSION_HEADER_BYTES;
  }

  /**
   * Adds an element and returns where the caller writes its data. One-byte form: id 1 to 14, 1 to 16 bytes; two-byte form: id 1
   * to 255, 0 to 255 bytes.
   */
  add(id: number, dataLength: number): number {
    if (this.twoByte) {
      this.view.setUint8(this.position++, id);
      this.view.setUint8(this.position++, dataLength);
    } else {
      this.view.setUint8(this.position++, (id << 4) | (dataLength - 1));
    }
    const data = this.position;
    this.position += dataLength;
    return data;
  }

  /** Pads, writes the extension's header, sets the X bit. Returns where the payload starts. */
  finish(): number {
    const { view, packet, start } = this;
    while (((this.position - start) & 3) !== 0) view.setUint8(this.position++, 0);
    view.setUint16(start, this.twoByte ? TWO_BYTE_PROFILE : ONE_BYTE_PROFILE);
    view.setUint16(start + 2, (this.position - start - EXTENSION_HEADER_BYTES) / 4);
    view.setUint8(packet, view.getUint8(packet) | EXTENSION_BIT);
    return this.position;
  }
}

const EMPTY = new DataView(new ArrayBuffer(0));

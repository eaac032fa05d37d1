import { expect, test } from '@jest/globals';
import { SocketAddress } from '@mediaplane/net';
import { SrtControlType, SrtlaType, writeControlHeader } from '@mediaplane/srtla';
import { LINK_DEFAULTS } from './link-settings.ts';
import type { SenderLink } from './link.ts';
import { PacketRing } from './packet-ring.ts';
import { Sender } from './sender.ts';

const INBOX = 8192;
const RING = 16_384;
const PACKET_BYTES = 1332;
const ACK_BYTES = 44;
const ENCODER = new SocketAddress().set(0, 0, 0xffff, 0x7f000001, 9000);
const nothing = (): void => undefined;

/** A sender whose two links are up; packets come each 100 us, and are acknowledged as receivers and servers do. */
function busySender() {
  const options = { mode: 'enhanced', maxBitrateBps: 50e6 } as const;
  const bytes = new Uint8Array(RING + PacketRing.bytesFor(options.maxBitrateBps));
  const view = new DataView(bytes.buffer);
  let carrier: SenderLink | undefined;
  const sender = new Sender({
    options,
    bytes,
    view,
    scratch: 0,
    ring: RING,
    output: { control: nothing, toReceiver: (link) => (carrier = link), toEncoder: nothing },
    events: {
      registered: nothing,
      linkUp: nothing,
      linkDown: nothing,
      linkRefused: nothing,
      linkWeak: nothing,
      linkStrong: nothing,
      failover: nothing,
      recovered: nothing,
      capReached: nothing,
      encoderUp: nothing,
      encoderDown: nothing,
      noLink: nothing,
    },
    newId: () => new Uint8Array(256),
  });
  let nowUs = 1e9;
  let sequence = 0;
  for (const index of [0, 1]) {
    sender.addLink(index, LINK_DEFAULTS);
    sender.openPath(index, nowUs);
  }
  const reply = (link: SenderLink, type: number, length: number): void => {
    view.setUint16(INBOX, type);
    sender.onLinkDatagram(link, INBOX, length, nowUs);
  };
  reply(sender.links[0], SrtlaType.regNoGroup, 32);
  reply(sender.links[0], SrtlaType.reg2, 258);
  for (const link of sender.links) reply(link, SrtlaType.reg3, 32);
  writeControlHeader(view, INBOX, SrtControlType.handshake, 0, 0, 0);
  sender.onEncoderDatagram(INBOX, 64, ENCODER, nowUs);
  const carried = [new Uint32Array(10), new Uint32Array(10)];
  const counts = [0, 0];
  return (packets: number): void => {
    for (let i = 0; i < packets; i += 1) {
      nowUs += 100;
      view.setUint32(INBOX, sequence);
      view.setUint32(INBOX + 4, 0xe000_0000);
      sender.onEncoderDatagram(INBOX, PACKET_BYTES, ENCODER, nowUs);
      if (carrier === undefined) throw new Error('no link took it');
      const { index } = carrier;
      carried[index][counts[index]] = sequence;
      counts[index] = (counts[index] + 1) % 10;
      if (counts[index] === 0) {
        for (let j = 0; j < 10; j += 1) view.setUint32(INBOX + 4 + 4 * j, carried[index][j]);
        reply(carrier, SrtlaType.ack, ACK_BYTES);
      }
      sequence += 1;
      if (sequence % 100 === 0) {
        for (const link of sender.links) {
          writeControlHeader(view, INBOX, SrtControlType.ack, 1, sequence, 0);
          view.setUint32(INBOX + 16, sequence);
          sender.onLinkDatagram(link, INBOX, ACK_BYTES, nowUs);
        }
      }
      if (sequence % 500 === 0) sender.onDeadline(nowUs);
    }
  };
}

test('a stream in steady state leaves next to nothing on the heap', () => {
  const PACKETS = 50_000;
  const send = busySender();
  send(2 * PACKETS);
  // A collection falls into one of several measurements, so the one in the middle has none.
  const growth = Array.from({ length: 9 }, () => {
    const before = process.memoryUsage().heapUsed;
    send(PACKETS);
    return (process.memoryUsage().heapUsed - before) / PACKETS;
  }).toSorted((a, b) => a - b);
  // The smallest object has 16 bytes.
  expect(growth[4]).toBeLessThan(16);
});

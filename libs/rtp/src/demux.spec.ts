import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classifyDatagram, DatagramKind } from './demux.ts';

const classify = (hex: string) => {
  const bytes = Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
  return classifyDatagram(new DataView(bytes.buffer), 0, bytes.length);
};
const REST = '00'.repeat(18);

test.each([
  ['PCMU', '80 00' + REST, DatagramKind.rtp],
  ['PCMU with marker', '80 80' + REST, DatagramKind.rtp],
  ['payload type 63 with marker, below RTCP', '80 bf' + REST, DatagramKind.rtp],
  ['payload type 96 with marker, above RTCP', '80 e0' + REST, DatagramKind.rtp],
  ['FIR, the lowest type of RTCP', '80 c0' + REST, DatagramKind.rtcp],
  ['sender report', '81 c8' + REST, DatagramKind.rtcp],
  ['the highest type of RTCP', '80 df' + REST, DatagramKind.rtcp],
  ['BYE of four bytes', '80 cb 0000', DatagramKind.rtcp],
  ['binding request', '0001 0000 2112a442' + '00'.repeat(12), DatagramKind.stun],
  ['no magic cookie', '0001 0000 2112a443' + '00'.repeat(12), DatagramKind.other],
  ['DTLS handshake', '16 feff' + REST, DatagramKind.dtls],
  ['DTLS too short', '16 feff', DatagramKind.other],
  ['ZRTP', '10 00' + REST, DatagramKind.other],
  ['TURN channel data', '40 00' + REST, DatagramKind.other],
  ['RTP version 3', 'c0 00' + REST, DatagramKind.other],
  ['a truncated RTP packet', '80 00 0001', DatagramKind.other],
  ['keep-alive of CRLF', '0d0a', DatagramKind.other],
  ['nothing', '', DatagramKind.other],
])('classifies %s', (_, hex, kind) => {
  expect(classify(hex)).toBe(kind);
});

test('reads nothing outside the datagram', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      expect(Object.values(DatagramKind)).toContain(classifyDatagram(new DataView(bytes.buffer), 0, bytes.length));
    }),
  );
});

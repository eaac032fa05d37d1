import { describe, expect, test } from '@jest/globals';
import { audioPort, phoneSdp } from './sdp.ts';

describe('SDP', () => {
  test('what is offered is found', () => {
    expect(audioPort(phoneSdp(40_002))).toBe(40_002);
  });

  test('the first audio section counts', () => {
    expect(audioPort('v=0\r\nm=video 7 RTP/AVP 96\r\nm=audio 8 RTP/AVP 0\r\nm=audio 9 RTP/AVP 0\r\n')).toBe(8);
  });

  test.each(['', 'm=audio 0 RTP/AVP 0\r\n', 'm=audio 70000 RTP/AVP 0\r\n', 'x m=audio 5 RTP/AVP 0\r\n'])(
    'no port in %j',
    (sdp) => {
      expect(() => audioPort(sdp)).toThrow('no audio port');
    },
  );
});

import { describe, expect, test } from '@jest/globals';
import { LEG_KINDS, PayloadKind, payloadKinds } from './payload-kind.ts';

describe('payloadKinds', () => {
  test('maps what was negotiated and nothing else', () => {
    const kinds = payloadKinds({
      receive: [
        { payloadType: 8, codec: 'PCMA', ptimeMs: 20 },
        { payloadType: 96, codec: 'PCMU', ptimeMs: 20 },
      ],
      receiveDtmfPayloadTypes: [44],
    });
    expect([kinds[8], kinds[96], kinds[44], kinds[0]]).toEqual([
      PayloadKind.pcma,
      PayloadKind.pcmu,
      PayloadKind.digit,
      PayloadKind.unknown,
    ]);
  });

  test('the private leg speaks static payload types', () => {
    expect([LEG_KINDS[0], LEG_KINDS[8], LEG_KINDS[101]]).toEqual([
      PayloadKind.pcmu,
      PayloadKind.pcma,
      PayloadKind.digit,
    ]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { ResumeTokens } from './resume-token.ts';

describe('resume tokens', () => {
  const tokens = new ResumeTokens('one life');

  test('name a sequence of one life of a stream', () => {
    for (const sequence of [0, 1, 999_999_999_999_999]) expect(tokens.sequenceOf(tokens.make(sequence))).toBe(sequence);
    expect(new ResumeTokens('one life').sequenceOf(tokens.make(7))).toBe(7);
    expect(() => new ResumeTokens('another').sequenceOf(tokens.make(7))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_RANGE', reason: 'RESUME_TOKEN_TOO_OLD' }),
    );
  });

  test('are refused when malformed', () => {
    for (const token of ['x', '.1', tokens.make(-1), `${tokens.make(1)} `, tokens.make(1e15)]) {
      expect(() => tokens.sequenceOf(token)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', fieldViolations: [expect.anything()] }),
      );
    }
  });
});

import { expect, test } from '@jest/globals';
import { SocketAddress } from '@mediaplane/net';
import { EncoderLock } from './encoder-lock.ts';

const at = (port: number): SocketAddress => new SocketAddress().set(0, 0, 0xffff, 0x7f000001, port);
const SECOND = 1e6;

test('the first who shakes hands is the encoder; data alone makes nobody one', () => {
  const lock = new EncoderLock();
  expect([lock.admit(at(1), false, 0), lock.isSet]).toEqual([false, false]);
  expect([lock.admit(at(1), true, 1), lock.isSet]).toEqual([true, true]);
  expect(lock.admit(at(1), false, 2)).toBe(true);
  expect(lock.current.port).toBe(1);
});

test('while it talks nobody takes its place, not by data and not by a handshake', () => {
  const lock = new EncoderLock();
  lock.admit(at(1), true, 0);
  for (let nowUs = 0; nowUs < 60 * SECOND; nowUs += SECOND) {
    expect(lock.admit(at(1), false, nowUs)).toBe(true);
    expect([lock.admit(at(2), false, nowUs + 1), lock.admit(at(2), true, nowUs + 2)]).toEqual([false, false]);
  }
  expect([lock.current.port, lock.strangers]).toEqual([1, 120]);
});

test('after two seconds of silence another handshake takes over, and the old one is a stranger', () => {
  const lock = new EncoderLock();
  lock.admit(at(1), true, 0);
  expect(lock.admit(at(2), false, 2 * SECOND)).toBe(false);
  expect(lock.admit(at(2), true, 2 * SECOND)).toBe(true);
  expect(lock.admit(at(1), false, 2 * SECOND + 1)).toBe(false);
});

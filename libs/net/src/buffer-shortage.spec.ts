import { expect, test } from '@jest/globals';
import { bufferShortages } from './buffer-shortage.ts';

const MIB = 1 << 20;

test('a smaller buffer is said with the sysctl and the value to set', () => {
  const asked = { receiveBufferBytes: 8 * MIB, sendBufferBytes: 4 * MIB };
  const granted = { receiveBufferBytes: 8 * MIB, sendBufferBytes: 8 * MIB };
  expect(bufferShortages(asked, granted, 'linux')).toEqual([
    'the receive buffer has 4194304 bytes of the 8388608 asked for: ' +
      'set net.core.rmem_max=8388608 on the host (sysctl -w), or grant CAP_NET_ADMIN',
  ]);
  expect(bufferShortages(asked, { receiveBufferBytes: 425_984, sendBufferBytes: 425_984 }, 'linux')).toEqual([
    expect.stringContaining('net.core.rmem_max=8388608'),
    expect.stringContaining('has 212992 bytes of the 4194304 asked for: set net.core.wmem_max=4194304'),
  ]);
});

test('nothing is said of what was granted, not asked for, or ruled by other limits', () => {
  const granted = { receiveBufferBytes: 2 * MIB, sendBufferBytes: 2 * MIB };
  expect(bufferShortages({ receiveBufferBytes: MIB, sendBufferBytes: MIB }, granted, 'linux')).toEqual([]);
  expect(bufferShortages({}, granted, 'linux')).toEqual([]);
  expect(bufferShortages({ receiveBufferBytes: 8 * MIB }, granted, 'darwin')).toEqual([]);
});

import { expect, test } from '@jest/globals';
import { cancelled } from '../deadline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { BusRequest } from './bus.ts';
import { errorFromHeaders } from './error-headers.ts';
import { runHandler } from './request-wire.ts';

const message = { subject: 's', payload: new Uint8Array(0), headers: { 'Mp-Time-Left-Ms': '50' } };

test.each([
  ['gives up when its signal aborts', (signal: AbortSignal, giveUp: () => void) => (signal.onabort = giveUp)],
  ['never ends', () => undefined],
])('a handler that %s is answered for at its deadline, with DEADLINE_EXCEEDED', async (_, follow) => {
  const clock = new VirtualClock();
  const reply = runHandler('in_process', clock, message, undefined, ({ signal }: BusRequest) => {
    return new Promise((_resolve, reject) => void follow(signal, () => reject(cancelled('s'))));
  });
  await clock.advance(51);
  expect(errorFromHeaders((await reply)?.headers ?? {})).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
});

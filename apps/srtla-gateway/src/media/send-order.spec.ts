import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SendOrder } from './send-order.ts';

interface Datagram {
  readonly link: number;
  readonly bytes: number;
}

/** Sockets as `PacketIo.queue` describes them: a run each, of one length but for a shorter last; runs leave as they were begun. */
class Runs {
  readonly sent: Datagram[] = [];
  readonly #runs = new Map<number, Datagram[]>();

  queue(datagram: Datagram): void {
    const run = this.#runs.get(datagram.link);
    if (run === undefined) {
      this.#runs.set(datagram.link, [datagram]);
    } else if (datagram.bytes <= run[0].bytes && run.every(({ bytes }) => bytes === run[0].bytes)) {
      run.push(datagram);
    } else {
      this.sent.push(...run);
      run.splice(0, run.length, datagram);
    }
  }

  flush(): void {
    for (const run of this.#runs.values()) this.sent.push(...run);
    this.#runs.clear();
  }
}

/** What has left, in order, and how often all had to leave before the end of a pass. */
function send(passes: readonly (readonly Datagram[])[]): { readonly sent: Datagram[]; readonly flushes: number } {
  const order = new SendOrder();
  const runs = new Runs();
  let flushes = 0;
  for (const pass of passes) {
    for (const datagram of pass) {
      if (order.next(datagram.link, datagram.bytes)) {
        runs.flush();
        flushes += 1;
      }
      runs.queue(datagram);
    }
    runs.flush();
    order.flushed();
  }
  return { sent: runs.sent, flushes };
}

const DATA = 1332;
const CONTROL = 44;
const on = (link: number, ...lengths: number[]): Datagram[] => lengths.map((bytes) => ({ link, bytes }));

test('runs of one link after the other wait for the end of the pass', () => {
  expect(send([[...on(0, DATA, DATA, DATA), ...on(1, DATA, DATA)], on(0, DATA)]).flushes).toBe(0);
});

test('a control packet does not let those behind it overtake another link', () => {
  const pass = [...on(1, DATA, DATA), ...on(0, DATA, CONTROL, DATA)];
  expect(send([pass])).toEqual({ sent: pass, flushes: 1 });
});

test('where one link has all, its runs may be as many as they like', () => {
  const pass = on(0, DATA, CONTROL, CONTROL, DATA);
  expect(send([pass])).toEqual({ sent: pass, flushes: 0 });
});

test('whatever is sent by whichever links leaves in its order', () => {
  const datagram = fc.record({
    link: fc.integer({ min: 0, max: 3 }),
    bytes: fc.constantFrom(DATA, DATA, 700, CONTROL),
  });
  fc.assert(
    fc.property(fc.array(fc.array(datagram, { maxLength: 32 }), { maxLength: 4 }), (passes) => {
      expect(send(passes).sent).toEqual(passes.flat());
    }),
  );
});

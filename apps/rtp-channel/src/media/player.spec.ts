import { describe, expect, test } from '@jest/globals';
import type { Clip } from './contract.ts';
import { Player } from './player.ts';

const clip = (values: number[], options: Partial<Clip> = {}): Clip => {
  const samples = new SharedArrayBuffer(values.length * 2);
  new Int16Array(samples).set(values);
  return { samples, startSample: 0, stopSample: values.length, plays: 1, ...options };
};

const readAll = (player: Player, step: number, limit = 1000): number[] => {
  const heard: number[] = [];
  const frame = new Int16Array(step);
  while (!player.ended && heard.length < limit) heard.push(...frame.subarray(0, player.read(frame, step)));
  return heard;
};

describe('Player', () => {
  test.each([1, 2, 3, 160])('joins clips without a gap, read %i samples at a time', (step) => {
    const player = Player.start('pb_1', [clip([1, 2, 3]), clip([4, 5]), clip([6])], 1, false);
    expect(readAll(player, step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('plays a part of a clip several times, and the list several times', () => {
    const list = [clip([1, 2, 3, 4], { startSample: 1, stopSample: 3, plays: 2 }), clip([9])];
    expect(readAll(Player.start('pb_1', list, 2, false), 3)).toEqual([2, 3, 2, 3, 9, 2, 3, 2, 3, 9]);
  });

  test('an endless clip never ends', () => {
    const player = Player.start('pb_1', [clip([7, 8], { plays: Infinity })], 1, false);
    expect(readAll(player, 100, 10_000)).toHaveLength(10_000);
    expect(player.ended).toBe(false);
  });

  test('goes on from its state on another thread, to the sample', () => {
    const player = Player.start('pb_1', [clip([1, 2, 3, 4, 5], { plays: 2 })], 1, false);
    player.read(new Int16Array(3), 3);
    const moved = new Player(structuredClone(player.state));
    expect(moved.position()).toEqual({ playbackId: 'pb_1', paused: false, positionMs: 0 });
    expect(readAll(moved, 4)).toEqual([4, 5, 1, 2, 3, 4, 5]);
  });

  test('refuses what it could loop over for ever', () => {
    const empty = clip([1, 2], { startSample: 1, stopSample: 1, plays: Infinity });
    expect(() => Player.start('pb_1', [clip([1]), empty], 1, false)).toThrow(RangeError);
    expect(() => Player.start('pb_1', [], 1, false)).toThrow(RangeError);
  });

  test('counts its position in milliseconds of what was read', () => {
    const player = Player.start('pb_1', [clip(Array.from({ length: 800 }, () => 0))], 1, false);
    player.read(new Int16Array(400), 400);
    expect(player.position().positionMs).toBe(50);
  });
});

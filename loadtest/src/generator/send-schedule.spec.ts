import { describe, expect, test } from '@jest/globals';
import { FRAME_US, SendSchedule } from './send-schedule.ts';

function drain(schedule: SendSchedule): { stream: number; dueUs: number }[] {
  const packets = [];
  for (; schedule.nextDueUs < Infinity; schedule.advance()) {
    packets.push({ stream: schedule.nextStream, dueUs: schedule.nextDueUs });
  }
  return packets;
}

describe('SendSchedule', () => {
  test('every stream sends once a frame, exactly a frame apart', () => {
    const packets = drain(new SendSchedule(7, 1000, 1000 + 50 * FRAME_US));
    expect(packets).toHaveLength(7 * 50);
    for (let stream = 0; stream < 7; stream += 1) {
      const due = packets.filter((packet) => packet.stream === stream).map((packet) => packet.dueUs);
      expect(due).toHaveLength(50);
      due.forEach((dueUs, index) => expect(dueUs).toBeCloseTo(due[0] + index * FRAME_US, 6));
    }
  });

  test('sends are evenly spread over the frame', () => {
    const packets = drain(new SendSchedule(1000, 0, FRAME_US));
    packets.forEach((packet, index) => expect(packet).toEqual({ stream: index, dueUs: index * 20 }));
  });

  test('nothing is due at or after the end', () => {
    expect(drain(new SendSchedule(2, 0, 10_000))).toEqual([{ stream: 0, dueUs: 0 }]);
    expect(drain(new SendSchedule(2, 5000, 5000))).toEqual([]);
  });

  test('no stream, no schedule', () => {
    expect(() => new SendSchedule(0, 0, 1)).toThrow(RangeError);
  });
});

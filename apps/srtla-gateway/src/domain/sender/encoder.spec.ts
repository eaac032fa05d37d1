import { describe, expect, test } from '@jest/globals';
import { SocketAddress } from '@mediaplane/net';
import { RejectionReason, SrtControlType } from '@mediaplane/srtla';
import { ENCODER, MS, SECOND, World } from './spec-world.ts';

const OTHER = new SocketAddress().set(0, 0, 0xffff, 0x7f000001, 9001);

function packet(sequence: number): Uint8Array {
  const bytes = new Uint8Array(100);
  new DataView(bytes.buffer).setUint32(0, sequence);
  return bytes;
}

function up(): World {
  const world = new World(1);
  world.run(SECOND);
  world.shakeHands(100, 300);
  world.run(100 * MS);
  world.answerHandshake(120);
  world.run(100 * MS);
  return world;
}

describe('an encoder', () => {
  test('is up when the server has answered its handshake, with the greater latency of both', () => {
    const world = up();
    expect(world.events.slice(2)).toEqual(['encoder up: 300 ms, null']);
    expect(world.toEncoder.length).toBe(1);
  });

  test('begins with a handshake', () => {
    const world = new World(1);
    world.run(SECOND);
    world.fromEncoder(packet(1));
    world.run(SECOND);
    expect([world.arrived.length, world.sender.encoder.strangers]).toEqual([0, 1]);
  });

  test('is followed by another that shakes hands after two seconds of silence, not by one that does not', () => {
    const world = up();
    world.fromEncoder(packet(1), OTHER);
    world.shakeHands(200, 120, OTHER);
    world.run(1.9 * SECOND);
    world.fromEncoder(packet(2));
    world.shakeHands(200, 120, OTHER);
    expect([world.sender.encoder.address.equals(ENCODER), world.sender.encoder.strangers]).toEqual([true, 3]);
    world.run(2.1 * SECOND);
    world.fromEncoder(packet(1), OTHER);
    expect(world.sender.encoder.address.equals(ENCODER)).toBe(true);
    world.shakeHands(200, 120, OTHER);
    expect(world.sender.encoder.address.equals(OTHER)).toBe(true);
    expect(world.events.slice(-1)).toEqual(['encoder down: replaced']);
  });

  test('that says goodbye is followed at once', () => {
    const world = up();
    world.answer(SrtControlType.shutdown, [0]);
    world.run(100 * MS);
    expect(world.events.slice(-1)).toEqual(['encoder down: shutdown']);
    world.shakeHands(200, 120, OTHER);
    expect(world.sender.encoder.address.equals(OTHER)).toBe(true);
  });

  test('that never gets through to its server keeps nobody out for long', () => {
    const world = new World(1);
    world.run(SECOND);
    world.shakeHands(100, 120);
    world.run(250 * MS);
    world.shakeHands(200, 120, OTHER);
    expect(world.sender.encoder.address.equals(ENCODER)).toBe(true);
    world.run(60 * MS);
    world.shakeHands(200, 120, OTHER);
    expect(world.sender.encoder.address.equals(OTHER)).toBe(true);
  });

  test('that is turned away is followed at once', () => {
    const world = new World(1);
    world.run(SECOND);
    world.shakeHands(100, 120);
    world.run(100 * MS);
    world.refuseHandshake(RejectionReason.forbidden);
    world.run(100 * MS);
    world.shakeHands(200, 120, OTHER);
    expect(world.sender.encoder.address.equals(OTHER)).toBe(true);
    expect(world.events.filter((event) => event.startsWith('encoder'))).toEqual([]);
  });

  test('that is up is not turned away by a refusal that comes late', () => {
    const world = up();
    world.refuseHandshake(RejectionReason.forbidden);
    world.run(100 * MS);
    world.shakeHands(200, 120, OTHER);
    expect(world.sender.encoder.address.equals(ENCODER)).toBe(true);
  });

  test('that is silent for five seconds is down', () => {
    const world = up();
    world.run(4.5 * SECOND);
    expect(world.events.length).toBe(3);
    world.run(SECOND);
    expect(world.events.slice(3)).toEqual(['encoder down: silent']);
  });

  test('and is up again when it goes on, as one does whose machine has slept', () => {
    const world = up();
    world.run(7 * SECOND);
    world.fromEncoder(packet(5));
    expect(world.events.slice(3)).toEqual(['encoder down: silent', 'encoder up: 300 ms, null']);
    world.run(SECOND);
    expect(world.arrived.map(({ sequence }) => sequence)).toEqual([5]);
    world.shakeHands(101, 500);
    expect(world.events.slice(5)).toEqual(['encoder down: replaced']);
  });

  test('that goes on after its goodbye is not up', () => {
    const world = up();
    world.answer(SrtControlType.shutdown, [0]);
    world.run(7 * SECOND);
    world.fromEncoder(packet(5));
    expect(world.events.slice(3)).toEqual(['encoder down: shutdown']);
  });

  test('that has said goodbye is not brought back by an answer that comes late', () => {
    const world = up();
    world.answer(SrtControlType.shutdown, [0]);
    world.run(100 * MS);
    world.answerHandshake(120);
    world.run(100 * MS);
    expect(world.events.slice(3)).toEqual(['encoder down: shutdown']);
  });

  test('that begins anew from the same port is another session', () => {
    const world = up();
    world.shakeHands(101, 500);
    expect(world.events.slice(-1)).toEqual(['encoder down: replaced']);
    world.run(100 * MS);
    world.answerHandshake(0);
    world.run(100 * MS);
    expect(world.events.slice(-1)).toEqual(['encoder up: 500 ms, null']);
  });
});

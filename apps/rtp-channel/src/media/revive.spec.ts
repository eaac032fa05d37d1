import { expect, test } from '@jest/globals';
import { revive } from './revive.ts';

class Inner {
  value = 0;
  double(): number {
    return this.value * 2;
  }
}

class Outer {
  readonly inner = new Inner();
  list: number[] = [];
  table = new Uint8Array(2);
  private hidden = 1;
  total(): number {
    return this.inner.double() + this.hidden;
  }
  change(): this {
    this.inner.value = 21;
    this.hidden = 5;
    this.list = [1, 2];
    this.table[1] = 9;
    return this;
  }
}

test('an object that crossed threads lives on in a fresh one, methods and all', () => {
  const revived = revive(new Outer(), structuredClone(new Outer().change()));
  expect(revived.total()).toBe(47);
  expect(revived).toEqual(new Outer().change());
});

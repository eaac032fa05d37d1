import { describe, expect, test } from '@jest/globals';
import { Epoll, epollEventLayout } from './epoll.ts';
import { drainEventfd, openEventfd, ringEventfd } from './eventfd.ts';
import { libcNames } from './libc.ts';
import { closeDescriptor } from './socket.ts';

test('epoll_event is packed on x64 and aligned on arm64', () => {
  expect(epollEventLayout('x64')).toEqual({ byteLength: 12, dataOffset: 4 });
  expect(epollEventLayout('arm64')).toEqual({ byteLength: 16, dataOffset: 8 });
});

test('glibc is tried before musl', () => {
  expect(libcNames('x64')).toEqual(['libc.so.6', 'libc.musl-x86_64.so.1']);
  expect(libcNames('arm64')).toEqual(['libc.so.6', 'libc.musl-aarch64.so.1']);
});

describe('Epoll', () => {
  test('reports what is ready, takes turns when more are than fit, and forgets what is removed', () => {
    const epoll = new Epoll(2);
    const fds = [openEventfd(), openEventfd(), openEventfd()];
    try {
      fds.forEach((fd, index) => epoll.add(fd, 100 + index));
      expect(epoll.wait(0)).toBe(0);
      fds.forEach((fd) => expect(ringEventfd(fd)).toBe(true));
      const seen: number[] = [];
      for (let turn = 0; turn < 3; turn++) {
        expect(epoll.wait(1000)).toBe(2);
        seen.push(epoll.token(0), epoll.token(1));
      }
      // Level-triggered: six places in three turns, each descriptor twice.
      expect(seen.sort()).toEqual([100, 100, 101, 101, 102, 102]);
      expect(epoll.remove(fds[0])).toBe(true);
      expect(epoll.remove(fds[0])).toBe(false);
      expect([drainEventfd(fds[1]), drainEventfd(fds[1])]).toEqual([true, false]);
      expect(epoll.wait(0)).toBe(1);
      expect(epoll.token(0)).toBe(102);
    } finally {
      epoll.close();
      fds.forEach((fd) => closeDescriptor(fd));
    }
  });

  test('refuses descriptors that are none, and to be used when closed', () => {
    const epoll = new Epoll(1);
    for (const fd of [NaN, -1, 0.5, 2 ** 31]) expect(() => epoll.add(fd, 0)).toThrow(RangeError);
    const fd = openEventfd();
    epoll.add(fd, 0);
    expect(() => epoll.add(fd, 0)).toThrow(expect.objectContaining({ name: 'SystemCallError', call: 'epoll_ctl' }));
    epoll.close();
    epoll.close();
    expect(() => epoll.wait(0)).toThrow(RangeError);
    closeDescriptor(fd);
  });
});

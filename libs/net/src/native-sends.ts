import { AF_INET6, DatagramSender, Errno, SegmentRun, TO_PEER } from '@mediaplane/native';
import type { Arena, DestinationFamily, SubmissionRing } from '@mediaplane/native';
import { checkRange, checkRun } from './packet-columns.ts';
import type { PacketIoCounters } from './packet-io.ts';
import { QueuedCalls } from './queued-calls.ts';
import type { SendOutcomes } from './queued-calls.ts';
import { isIpv4, type AddressWords } from './socket-address.ts';
import type { SocketTable } from './socket-table.ts';

/** More datagrams in runs than these do not wait for `flush`; they are many because the more a run holds, the less each costs. */
const MAX_WAITING = 256;
/** For fewer sockets than these, calls of their own cost less than a ring: a run of the ring takes memory for its message. */
const WORTH_A_RING = 4;
const UNREACHABLE = -1;
/** Instead of an errno: a run that is not to be segmented. */
const SINGLY = -1;

/** The sending half of a NativePacketIo: at once, queued for one call, or in runs that the kernel segments. */
export class NativeSends implements SendOutcomes {
  readonly #arena: Arena;
  readonly #sender: DatagramSender;
  readonly #sockets: SocketTable;
  readonly #counters: PacketIoCounters;
  /** Null where there is no ring: then what is queued leaves at once. */
  readonly #calls: QueuedCalls | null;
  /** By socket, of those that gather them. */
  readonly #runs: (SegmentRun | undefined)[] = [];
  /** Sockets whose runs wait for `flush`, and how many datagrams have been put into runs meanwhile. */
  readonly #waiting: number[] = [];
  #waitingCount = 0;
  #waitingDatagrams = 0;
  /** For `sendRun`. */
  #ownRun: SegmentRun | undefined;

  constructor(arena: Arena, sockets: SocketTable, counters: PacketIoCounters, ring: SubmissionRing | null) {
    this.#arena = arena;
    this.#sender = new DatagramSender(arena);
    this.#sockets = sockets;
    this.#counters = counters;
    this.#calls = ring && new QueuedCalls(arena, ring, sockets, this);
  }

  /** For a socket that gathers runs, until `release`. */
  prepareRuns(socket: number): void {
    this.#runs[socket] = new SegmentRun(this.#arena);
  }

  /** Before a socket is detached: sends what is queued. */
  release(socket: number): void {
    this.flush();
    this.#runs[socket]?.close();
    this.#runs[socket] = undefined;
  }

  send(socket: number, offset: number, length: number, to: AddressWords): boolean {
    const fd = this.#attachedFd(socket);
    const family = this.#familyFor(socket, to, 1);
    return family !== UNREACHABLE && this.#sendOne(socket, fd, offset, length, family, to);
  }

  queue(socket: number, offset: number, length: number, to: AddressWords): void {
    const fd = this.#attachedFd(socket);
    const family = this.#familyFor(socket, to, 1);
    if (family === UNREACHABLE) return;
    if (this.#sockets.gathersRuns(socket)) this.#gather(socket, fd, offset, length, family, to);
    else this.#queueOne(socket, fd, offset, length, family, to);
  }

  flush(): void {
    if (this.#waitingCount > 0) this.#flushRuns();
    this.#calls?.submit();
  }

  sendRun(socket: number, offset: number, segmentBytes: number, totalBytes: number, to: AddressWords): number {
    checkRun(offset, segmentBytes, totalBytes, this.#arena.byteLength);
    const fd = this.#attachedFd(socket);
    const family = this.#familyFor(socket, to, Math.ceil(totalBytes / segmentBytes));
    if (family === UNREACHABLE) return 0;
    const run = (this.#ownRun ??= new SegmentRun(this.#arena));
    const { w0, w1, w2, w3, port } = to;
    run.start(family, w0, w1, w2, w3, port);
    let sent = 0;
    for (let at = 0; at < totalBytes; at += segmentBytes) {
      const length = Math.min(segmentBytes, totalBytes - at);
      if (!run.takes(length, w0, w1, w2, w3, port)) sent += this.#sendGathered(socket, fd, run);
      run.add(offset + at, length);
    }
    return sent + this.#sendGathered(socket, fd, run);
  }

  #sendOne(
    socket: number,
    fd: number,
    offset: number,
    length: number,
    family: DestinationFamily,
    to: AddressWords,
  ): boolean {
    this.#sender.setDestination(0, family, to.w0, to.w1, to.w2, to.w3, to.port);
    const result = this.#sender.send(fd, offset, length);
    this.datagramSent(socket, length, result < 0 ? -result : 0);
    return result >= 0;
  }

  #queueOne(
    socket: number,
    fd: number,
    offset: number,
    length: number,
    family: DestinationFamily,
    to: AddressWords,
  ): void {
    if (this.#calls === null) {
      this.#sendOne(socket, fd, offset, length, family, to);
    } else {
      checkRange(offset, length, this.#arena.byteLength);
      this.#calls.addDatagram(socket, offset, length, family, to);
    }
  }

  datagramSent(socket: number, length: number, errno: number): void {
    if (errno !== 0) return this.#countSendFailure(socket, errno, 1);
    this.#counters.sent += 1;
    this.#counters.sentBytes += length;
  }

  /** Puts a datagram into its socket's run; one that does not go with those before it sends them off first. */
  #gather(
    socket: number,
    fd: number,
    offset: number,
    length: number,
    family: DestinationFamily,
    to: AddressWords,
  ): void {
    checkRange(offset, length, this.#arena.byteLength);
    const run = this.#runs[socket];
    if (run === undefined || (run.count === 0 && !this.#sockets.segments(socket))) {
      this.#queueOne(socket, fd, offset, length, family, to);
      return;
    }
    const { w0, w1, w2, w3, port } = to;
    const isNew = run.count === 0;
    if (!run.takes(length, w0, w1, w2, w3, port)) this.#sendGathered(socket, fd, run);
    if (run.count === 0) run.start(family, w0, w1, w2, w3, port);
    run.add(offset, length);
    if (isNew) this.#waiting[this.#waitingCount++] = socket;
    if (++this.#waitingDatagrams === MAX_WAITING) this.flush();
  }

  /** Socket by socket, in the order in which they were given their first. */
  #flushRuns(): void {
    const count = this.#waitingCount;
    const calls = count >= WORTH_A_RING ? this.#calls : null;
    this.#waitingCount = 0;
    this.#waitingDatagrams = 0;
    for (let index = 0; index < count; index++) {
      const socket = this.#waiting[index];
      const run = this.#runs[socket];
      if (run === undefined) continue;
      if (run.count === 1 && count === 1) {
        // It may share a call with other sockets' datagrams.
        const family = this.#sockets.family(socket);
        this.#queueOne(socket, this.#sockets.fd(socket), run.offset(0), run.byteLength, family, run);
        run.clear();
      } else if (calls === null || (run.count > 1 && !this.#sockets.segments(socket))) {
        this.#sendGathered(socket, this.#sockets.fd(socket), run);
      } else if (run.count === 1) {
        calls.addDatagram(socket, run.offset(0), run.byteLength, this.#sockets.family(socket), run);
        run.clear();
      } else {
        calls.addRun(socket, run);
      }
    }
  }

  /** Sends what a run holds, at once, and empties it. @returns datagrams sent */
  #sendGathered(socket: number, fd: number, run: SegmentRun): number {
    const errno = run.count > 1 && this.#sockets.segments(socket) ? Math.max(-run.send(fd), 0) : SINGLY;
    return this.runSent(socket, run, errno);
  }

  /** A run has been sent, or refused, or is yet to be sent singly; then it is empty. @returns datagrams sent */
  runSent(socket: number, run: SegmentRun, errno: number): number {
    const { count, byteLength } = run;
    let sent = 0;
    if (errno === 0) {
      sent = count;
      this.#counters.sent += count;
      this.#counters.sentBytes += byteLength;
    } else if (errno === SINGLY || refusesSegments(errno)) {
      const fd = this.#sockets.fd(socket);
      const family = this.#sockets.family(socket);
      for (let index = 0; index < count; index++) {
        if (this.#sendOne(socket, fd, run.offset(index), run.length(index), family, run)) sent += 1;
      }
      if (errno !== SINGLY && sent > 0) this.#refuseSegments(socket);
    } else {
      this.#countSendFailure(socket, errno, count);
    }
    run.clear();
    return sent;
  }

  /** Not for datagrams that the route refuses singly too: then segments were not to blame (EINVAL: our address is gone). */
  #refuseSegments(socket: number): void {
    this.#sockets.refuseSegments(socket);
    this.#counters.gsoRefused += 1;
  }

  /** @throws RangeError */
  #attachedFd(socket: number): number {
    const fd = this.#sockets.fd(socket);
    if (fd >= 0) return fd;
    throw new RangeError(`socket ${socket} is not attached`);
  }

  /** UNREACHABLE, with `datagrams` counted as failed: an IPv6 address from an IPv4 socket, or port 0. */
  #familyFor(socket: number, to: AddressWords, datagrams: number): DestinationFamily | typeof UNREACHABLE {
    const family = this.#sockets.family(socket);
    if (family === TO_PEER || (to.port !== 0 && (family === AF_INET6 || isIpv4(to)))) return family;
    this.#countSendFailure(socket, Errno.EAFNOSUPPORT, datagrams);
    return UNREACHABLE;
  }

  #countSendFailure(socket: number, errno: number, datagrams: number): void {
    const counters = this.#counters;
    this.#sockets.countFailedSends(socket, datagrams);
    switch (errno) {
      case Errno.EAGAIN:
      case Errno.ENOBUFS:
        counters.sendWouldBlock += datagrams;
        break;
      case Errno.ECONNREFUSED:
        counters.sendRefused += datagrams;
        break;
      case Errno.EMSGSIZE:
        counters.sendTooBig += datagrams;
        break;
      default:
        counters.sendFailed += datagrams;
    }
  }

  /** Idempotent. */
  close(): void {
    this.#sender.close();
    this.#ownRun?.close();
    this.#waitingCount = 0;
    this.#calls?.close();
    for (const run of this.#runs) run?.close();
  }
}

/** A device without checksum offload, a segment above the MTU, or a kernel before 4.18. */
function refusesSegments(errno: number): boolean {
  return (
    errno === Errno.EIO ||
    errno === Errno.EINVAL ||
    errno === Errno.EMSGSIZE ||
    errno === Errno.EOPNOTSUPP ||
    errno === Errno.ENOPROTOOPT
  );
}

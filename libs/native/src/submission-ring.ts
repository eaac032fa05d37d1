import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { SystemCallError } from './errors.ts';
import { checkFd, libc, orThrow } from './libc.ts';

/** The same on x64 and arm64 (asm-generic/unistd.h). */
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;

const SETUP_CLAMP = 1 << 4;
/** A request that fails does not keep those behind it from being submitted. */
const SETUP_SUBMIT_ALL = 1 << 7;
const SETUP_SINGLE_ISSUER = 1 << 12;
/** Nothing runs behind this thread's back: completions come about in its own calls, so no barrier is needed to read them. */
const SETUP_DEFER_TASKRUN = 1 << 13;
const FEATURE_SINGLE_MMAP = 1 << 0;
const FEATURE_CQE_SKIP = 1 << 11;
const ENTER_GETEVENTS = 1;

/*
 * struct io_uring_params, 120 bytes (linux/io_uring.h):
 *   0 sq_entries  4 cq_entries  8 flags  20 features
 *   40 sq_off: head, tail, ring_mask, ring_entries, flags, dropped, array
 *   80 cq_off: head, tail, ring_mask, ring_entries, overflow, cqes
 */
const PARAMS_BYTES = 120;
const PARAMS = { sqEntries: 0, cqEntries: 4, flags: 8, features: 20 } as const;
const SQ_OFFSETS = { head: 40, tail: 44, mask: 48, array: 64 } as const;
const CQ_OFFSETS = { head: 80, tail: 84, mask: 88, cqes: 100 } as const;

const PROT_READ_WRITE = 3;
const MAP_SHARED_POPULATE = 0x8001;
const RING_OFFSET = 0;
const ENTRIES_OFFSET = 0x1000_0000;
const MAP_FAILED = -1;

/*
 * struct io_uring_sqe as 16 words: 0 opcode | flags << 8, 1 fd, 2 and 3 addr2, 4 and 5 addr, 6 len, 7 msg_flags,
 * 8 and 9 user_data, 11 addr_len. struct io_uring_cqe as 4 words: 0 and 1 user_data, 2 res.
 */
const ENTRY_WORDS = 16;
const COMPLETION_WORDS = 4;
const WORD = 2 ** 32;

/** IORING_OP_*, and IOSQE_CQE_SKIP_SUCCESS in the flags: a send that succeeds leaves no completion. */
const SEND_SILENTLY = 26 | ((1 << 6) << 8);
const SENDMSG_SILENTLY = 9 | ((1 << 6) << 8);
const RECVMSG = 10;
/** Without it a request that would block stays in the kernel, with the memory that it points to. */
const MSG_DONTWAIT = 0x40;

/** Puts a request into a ring. Private to this library: these take addresses. @throws RangeError when the ring is full or closed */
export let queueSend: (
  ring: SubmissionRing,
  fd: number,
  payload: number,
  length: number,
  name: number,
  nameLength: number,
  token: number,
) => void;
export let queueSendMessage: (ring: SubmissionRing, fd: number, message: number, token: number) => void;
export let queueReceive: (ring: SubmissionRing, fd: number, message: number, flags: number, token: number) => void;

/**
 * Batches of sends and receives on different sockets, one system call for all of them: io_uring(7), used synchronously. What
 * is submitted is carried out within `submit`, in order, so no request outlives the call and nothing has to be cancelled. For
 * the thread that made it alone.
 */
export class SubmissionRing {
  readonly capacity: number;
  /** Of the last `submit`: how many requests at the end of the queue were dropped, and the errno that says why. */
  refused = 0;
  refusal = 0;
  readonly #fd: number;
  readonly #ring: Mapping;
  readonly #entries: Mapping;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #sqMask: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqMask: number;
  readonly #completions: number;
  #tail = 0;
  #queued = 0;
  #head = 0;
  #count = 0;
  #open = true;

  static {
    queueSend = (ring, fd, payload, length, name, nameLength, token) => {
      const words = ring.#entries.words;
      const at = ring.#next(fd);
      words[at] = SEND_SILENTLY;
      words[at + 1] = fd;
      words[at + 2] = name % WORD;
      words[at + 3] = name / WORD;
      words[at + 4] = payload % WORD;
      words[at + 5] = payload / WORD;
      words[at + 6] = length;
      words[at + 7] = MSG_DONTWAIT;
      words[at + 8] = token;
      words[at + 11] = nameLength;
    };
    queueSendMessage = (ring, fd, message, token) =>
      ring.#queueMessage(SENDMSG_SILENTLY, fd, message, MSG_DONTWAIT, token);
    queueReceive = (ring, fd, message, flags, token) =>
      ring.#queueMessage(RECVMSG, fd, message, flags | MSG_DONTWAIT, token);
  }

  /**
   * `capacity`: requests that can be queued, rounded up to a power of two.
   * @throws SystemCallError where io_uring is not to be had: a kernel before 6.1, a seccomp profile, kernel.io_uring_disabled
   */
  constructor(capacity: number) {
    const params = new Arena(PARAMS_BYTES);
    const { view } = params;
    const flags = SETUP_CLAMP | SETUP_SUBMIT_ALL | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;
    view.setUint32(PARAMS.flags, flags, true);
    const address = addressIn(params, 0, PARAMS_BYTES);
    this.#fd = orThrow('io_uring_setup', libc().syscall(SYS_IO_URING_SETUP, capacity, address, 0, 0, 0, 0));
    const read = (offset: number): number => view.getUint32(offset, true);
    params.close();
    this.capacity = read(PARAMS.sqEntries);
    try {
      const features = read(PARAMS.features);
      if ((features & FEATURE_SINGLE_MMAP) === 0 || (features & FEATURE_CQE_SKIP) === 0) {
        throw new SystemCallError('io_uring_setup', Errno.EOPNOTSUPP);
      }
      const submissionBytes = read(SQ_OFFSETS.array) + this.capacity * 4;
      const completionBytes = read(CQ_OFFSETS.cqes) + read(PARAMS.cqEntries) * COMPLETION_WORDS * 4;
      this.#ring = map(this.#fd, RING_OFFSET, Math.max(submissionBytes, completionBytes));
      this.#entries = map(this.#fd, ENTRIES_OFFSET, this.capacity * ENTRY_WORDS * 4);
    } catch (error) {
      libc().close(this.#fd);
      throw error;
    }
    this.#sqHead = read(SQ_OFFSETS.head) / 4;
    this.#sqTail = read(SQ_OFFSETS.tail) / 4;
    this.#cqHead = read(CQ_OFFSETS.head) / 4;
    this.#cqTail = read(CQ_OFFSETS.tail) / 4;
    this.#completions = read(CQ_OFFSETS.cqes) / 4;
    const { words } = this.#ring;
    this.#sqMask = words[read(SQ_OFFSETS.mask) / 4];
    this.#cqMask = words[read(CQ_OFFSETS.mask) / 4];
    for (let i = 0; i < this.capacity; i++) words[read(SQ_OFFSETS.array) / 4 + i] = i;
  }

  /** For whoever has to close it when the thread that made it has died. */
  get descriptor(): number {
    return this.#fd;
  }

  /** Requests that wait for `submit`. */
  get queued(): number {
    return this.#queued;
  }

  /**
   * Carries out what is queued, in order. @returns completions to be read by `token` and `result` until the next call: one
   * for each receive and one for each send that failed. Where the kernel takes only the first part of it (no memory), the rest,
   * `refused` requests, is dropped. Nothing is queued afterwards.
   */
  submit(): number {
    const { words } = this.#ring;
    if (!this.#open) throw new RangeError('the ring is closed');
    this.#head = (this.#head + this.#count) | 0;
    words[this.#cqHead] = this.#head;
    words[this.#sqTail] = this.#tail;
    this.refused = 0;
    for (let left = this.#queued; left > 0;) {
      const taken = libc().syscall(SYS_IO_URING_ENTER, this.#fd, left, 0, ENTER_GETEVENTS, 0, 0);
      if (taken > 0) {
        left -= taken;
        continue;
      }
      this.refusal = taken < 0 ? libc().errno() : Errno.EAGAIN;
      if (this.refusal === Errno.EINTR) continue;
      // Takes back what the kernel has not taken, or it would be carried out by the next call, with what lies there then.
      this.#tail = words[this.#sqHead] | 0;
      words[this.#sqTail] = this.#tail;
      this.refused = left;
      break;
    }
    this.#queued = 0;
    this.#count = (words[this.#cqTail] - this.#head) | 0;
    return this.#count;
  }

  /** What completion `index` of the last `submit` was queued with. */
  token(index: number): number {
    return this.#ring.words[this.#completionAt(index)];
  }

  /** What the system call would have returned: bytes, or -errno. */
  result(index: number): number {
    return this.#ring.words[this.#completionAt(index) + 2] | 0;
  }

  #completionAt(index: number): number {
    return this.#completions + ((this.#head + index) & this.#cqMask) * COMPLETION_WORDS;
  }

  #queueMessage(operation: number, fd: number, message: number, flags: number, token: number): void {
    const { words } = this.#entries;
    const at = this.#next(fd);
    words[at] = operation;
    words[at + 1] = fd;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + 4] = message % WORD;
    words[at + 5] = message / WORD;
    words[at + 6] = 1;
    words[at + 7] = flags;
    words[at + 8] = token;
    words[at + 11] = 0;
  }

  /** The place of the next request. */
  #next(fd: number): number {
    checkFd(fd);
    if (!this.#open || this.#queued === this.capacity) throw new RangeError('the ring is full or closed');
    const at = (this.#tail & this.#sqMask) * ENTRY_WORDS;
    this.#tail = (this.#tail + 1) | 0;
    this.#queued += 1;
    return at;
  }

  /** Idempotent. Everything after it throws. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ring.unmap();
    this.#entries.unmap();
    libc().close(this.#fd);
  }
}

interface Mapping {
  /** Empty after `unmap`, so that no mistake reads memory that is gone. */
  words: Uint32Array;
  unmap(): void;
}

/** Memory that a ring shares with the kernel. @throws SystemCallError */
function map(fd: number, offset: number, byteLength: number): Mapping {
  const address = libc().mmap(0, byteLength, PROT_READ_WRITE, MAP_SHARED_POPULATE, fd, offset);
  if (address === MAP_FAILED) throw new SystemCallError('mmap', libc().errno());
  const mapping = {
    words: new Uint32Array(libc().memoryAt(address, byteLength)),
    unmap: (): void => {
      mapping.words = new Uint32Array();
      libc().munmap(address, byteLength);
    },
  };
  return mapping;
}

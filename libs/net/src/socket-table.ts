const FIRST_CAPACITY = 64;
const NONE = -1;
/** Equal to no pass that a new socket could follow. */
const NEVER = -2;

/** The attached sockets of a NativePacketIo as columns; an index is used again after `remove`. */
export class SocketTable {
  /** -1 where no socket is. */
  fd = new Int32Array(FIRST_CAPACITY).fill(NONE);
  family = new Uint8Array(FIRST_CAPACITY);
  tag = new Int32Array(FIRST_CAPACITY);
  /** 1 until UDP_SEGMENT has been refused. */
  gso = new Uint8Array(FIRST_CAPACITY);
  /** The pass in which the socket was last found ready. */
  lastPass = new Int32Array(FIRST_CAPACITY);
  readonly #free: number[] = [];
  #used = 0;

  add(fd: number, family: number, tag: number, gso: boolean): number {
    const index = this.#free.pop() ?? this.#used++;
    if (index === this.fd.length) this.#grow();
    this.fd[index] = fd;
    this.family[index] = family;
    this.tag[index] = tag;
    this.gso[index] = gso ? 1 : 0;
    this.lastPass[index] = NEVER;
    return index;
  }

  remove(index: number): void {
    this.fd[index] = NONE;
    this.#free.push(index);
  }

  #grow(): void {
    const capacity = this.fd.length * 2;
    const fd = new Int32Array(capacity).fill(NONE);
    fd.set(this.fd);
    this.fd = fd;
    this.family = grown(this.family, new Uint8Array(capacity));
    this.tag = grown(this.tag, new Int32Array(capacity));
    this.gso = grown(this.gso, new Uint8Array(capacity));
    this.lastPass = grown(this.lastPass, new Int32Array(capacity));
  }
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

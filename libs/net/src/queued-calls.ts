import { DatagramSender } from '@mediaplane/native';
import type { Arena, DestinationFamily, SegmentRun, SubmissionRing } from '@mediaplane/native';
import type { AddressWords } from './socket-address.ts';
import type { SocketTable } from './socket-table.ts';

/** More of them do not wait for `submit`: after a stall a batch is long, and its first would wait for its last. */
const MAX_QUEUED = 32;

/** What has become of what was queued: `errno` is 0 when it has left. */
export interface SendOutcomes {
  datagramSent(socket: number, length: number, errno: number): void;
  runSent(socket: number, run: SegmentRun, errno: number): void;
}

/**
 * Datagrams and runs that wait for one system call, in order. All are in the ring as soon as there are two: for one, a call of its own
 * costs less. What is queued, its bytes and its socket must be left alone until it is submitted.
 */
export class QueuedCalls {
  readonly #ring: SubmissionRing;
  readonly #sockets: SocketTable;
  readonly #outcomes: SendOutcomes;
  readonly #sender: DatagramSender;
  /** By place; a datagram has no run. */
  readonly #placeSockets: Int32Array;
  readonly #placeLengths: Int32Array;
  readonly #placeRuns: (SegmentRun | undefined)[];
  /** All 0 but while what was submitted is told. */
  readonly #errnos: Int32Array;
  readonly #places: number;
  #queued = 0;
  #firstOffset = 0;

  constructor(arena: Arena, ring: SubmissionRing, sockets: SocketTable, outcomes: SendOutcomes) {
    const places = Math.min(MAX_QUEUED, ring.capacity);
    this.#ring = ring;
    this.#sockets = sockets;
    this.#outcomes = outcomes;
    this.#sender = new DatagramSender(arena, places);
    this.#placeSockets = new Int32Array(places);
    this.#placeLengths = new Int32Array(places);
    this.#placeRuns = Array.from({ length: places }, () => undefined);
    this.#errnos = new Int32Array(places);
    this.#places = places;
  }

  addDatagram(socket: number, offset: number, length: number, family: DestinationFamily, to: AddressWords): void {
    const place = this.#nextPlace(socket);
    this.#sender.setDestination(place, family, to.w0, to.w1, to.w2, to.w3, to.port);
    if (place === 0) this.#firstOffset = offset;
    else this.#sender.queue(this.#ring, this.#sockets.fd(socket), offset, length, place);
    this.#placeLengths[place] = length;
  }

  /** Of two datagrams or more. */
  addRun(socket: number, run: SegmentRun): void {
    const place = this.#nextPlace(socket);
    if (place > 0) run.queue(this.#ring, this.#sockets.fd(socket), place);
    this.#placeRuns[place] = run;
  }

  submit(): void {
    const queued = this.#queued;
    this.#queued = 0;
    if (queued > 1) this.#submitAll(queued);
    else if (queued === 1) this.#tell(0, this.#callFirst());
  }

  #nextPlace(socket: number): number {
    if (this.#queued === this.#places) this.submit();
    else if (this.#queued === 1) this.#enterFirst();
    const place = this.#queued++;
    this.#placeSockets[place] = socket;
    return place;
  }

  #enterFirst(): void {
    const fd = this.#sockets.fd(this.#placeSockets[0]);
    const run = this.#placeRuns[0];
    if (run === undefined) this.#sender.queue(this.#ring, fd, this.#firstOffset, this.#placeLengths[0], 0);
    else run.queue(this.#ring, fd, 0);
  }

  /** @returns an errno, or 0 */
  #callFirst(): number {
    const fd = this.#sockets.fd(this.#placeSockets[0]);
    const run = this.#placeRuns[0];
    const result =
      run === undefined ? this.#sender.send(fd, this.#firstOffset, this.#placeLengths[0], 0) : run.send(fd);
    return result < 0 ? -result : 0;
  }

  #submitAll(queued: number): void {
    const ring = this.#ring;
    const errnos = this.#errnos;
    const failures = ring.submit();
    for (let index = 0; index < failures; index++) errnos[ring.token(index)] = -ring.result(index);
    for (let place = queued - ring.refused; place < queued; place++) errnos[place] = ring.refusal;
    for (let place = 0; place < queued; place++) {
      const errno = errnos[place];
      errnos[place] = 0;
      this.#tell(place, errno);
    }
  }

  #tell(place: number, errno: number): void {
    const socket = this.#placeSockets[place];
    const run = this.#placeRuns[place];
    if (run === undefined) {
      this.#outcomes.datagramSent(socket, this.#placeLengths[place], errno);
    } else {
      this.#placeRuns[place] = undefined;
      this.#outcomes.runSent(socket, run, errno);
    }
  }

  /** Idempotent. What is queued is dropped. */
  close(): void {
    this.#sender.close();
    this.#queued = 0;
  }
}

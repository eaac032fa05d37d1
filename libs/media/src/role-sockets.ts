import { MAX_ROLES } from './messages.ts';

/** Of a role without a socket. */
export const NO_SOCKET = -1;
const FIRST_SEATS = 64;

/** Which socket plays which role for each seat of a thread, in one column: a session needs no array of its own. */
export class RoleSockets {
  #sockets = new Int32Array(FIRST_SEATS * MAX_ROLES).fill(NO_SOCKET);

  get(seat: number, role: number): number {
    const at = seat * MAX_ROLES + role;
    return at < this.#sockets.length ? this.#sockets[at] : NO_SOCKET;
  }

  set(seat: number, role: number, socket: number): void {
    const at = seat * MAX_ROLES + role;
    if (at >= this.#sockets.length) this.#grow(at);
    this.#sockets[at] = socket;
  }

  #grow(at: number): void {
    const sockets = new Int32Array(Math.max(this.#sockets.length * 2, at + MAX_ROLES)).fill(NO_SOCKET);
    sockets.set(this.#sockets);
    this.#sockets = sockets;
  }
}

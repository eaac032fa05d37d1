import type { EngineMode } from './bare-protocol.ts';

export type { EngineMode } from './bare-protocol.ts';

/** Memory of an engine after a forced garbage collection; null what this engine cannot tell. */
export interface EngineMemory {
  readonly heapBytes: number | null;
  readonly externalBytes: number | null;
}

/** Phones on the loopback interface: an RTP port each, and one port that takes the RTCP of all, for nobody reads it. */
export interface Phones {
  readonly rtpPorts: readonly number[];
  readonly rtcpPort: number;
}

/** An engine under test: a process of its own, whose sockets are on the loopback interface. */
export interface Engine extends AsyncDisposable {
  readonly pid: number;
  /**
   * Opens a channel for each phone; returns the RTP ports that the phones send to, in their order.
   * `relay` bridges 0 with 1, 2 with 3 and so on.
   */
  open(mode: EngineMode, phones: Phones): Promise<readonly number[]>;
  /** Closes every channel that is open. */
  closeAll(): Promise<void>;
  memory(): Promise<EngineMemory>;
}

export interface EngineOptions {
  /** Media threads. */
  readonly threads: number;
  /** Measures memory: started so that a garbage collection can be forced, which costs some speed. */
  readonly memoryProbe: boolean;
}

export interface EngineKind {
  readonly name: string;
  readonly modes: readonly EngineMode[];
  /** Why it cannot run here; null if it can. */
  unavailable(): string | null;
  start(options: EngineOptions): Promise<Engine>;
}

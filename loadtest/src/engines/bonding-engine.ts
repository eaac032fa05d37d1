/** One end of a bonded connection under test: a process of its own, whose sockets are on the loopback interface. */
export interface BondingProcess extends AsyncDisposable {
  readonly pid: number;
  /** UDP port: of a receiver, that its senders send to; of a sender, that its encoder sends to. */
  readonly port: number;
}

/** How long a packet may be kept to save wake-ups: not at all, or 1 ms for each of the two programs on its way. */
export type Profile = 'latency' | 'economy';

/** A sender and a receiver of SRTLA. */
export interface BondingEngine {
  readonly name: string;
  /** Why it cannot run here; null if it can. */
  unavailable(): string | null;
  /** Hands streams to the SRT server at `serverPort`. */
  startReceiver(serverPort: number, profile: Profile): Promise<BondingProcess>;
  /** Has `links` links to the receiver at `receiverPort`, from 127.0.0.2, 127.0.0.3 and so on. */
  startSender(receiverPort: number, links: number, profile: Profile): Promise<BondingProcess>;
}

/** Where link `index` of a sender is. */
export function linkAddress(index: number): string {
  return `127.0.0.${2 + index}`;
}

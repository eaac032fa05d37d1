import type { Namespaces } from './namespaces.ts';
import { farEnd, nearEnd } from './namespaces.ts';

/** The link that things happen to. */
export const HIT_LINK = 0;
const FLAP_MS = 3000;
const STALL_MS = 20;
const [NEAR, FAR] = [nearEnd(HIT_LINK), farEnd(HIT_LINK)];
/** An SRT session that is to lose nothing, whichever way a link goes. */
const LATENCY_MS = 200;
/** One that lives through the start of a receiver. */
const RESTART_LATENCY_MS = 4000;

export type End = 'sender' | 'receiver';

/** What can be done to the scene of a run. */
export interface Scene {
  readonly network: Namespaces;
  killReceiver(): Promise<void>;
  /** Resolves when it serves. */
  startReceiver(): Promise<void>;
  /** Takes an end from the processor, as a busy machine does, and gives it back. */
  pause(end: End): void;
  resume(end: End): void;
}

/** Something that happens in mid-stream. */
export interface FailoverEvent {
  readonly name: string;
  /** For people. */
  readonly text: string;
  /** Of the SRT session, by default. */
  readonly latencyMs: number;
  /** What is measured beside what is missing: for how long new data goes into the dead link, or until data reaches the server again. */
  readonly figure?: 'lastNewDataMs' | 'backAfterMs';
  begin(scene: Scene): Promise<unknown> | void;
  /** Without it, it stays as it is. */
  readonly end?: { readonly afterMs: number; run(scene: Scene): Promise<unknown> | void };
}

const silent = { latencyMs: LATENCY_MS, figure: 'lastNewDataMs' } as const;
/** The system throws away what is for an interface without a carrier before anybody can see it. */
const down = { latencyMs: LATENCY_MS } as const;

const toReceiver = (what: string): string =>
  `chain in { type filter hook input priority 0; iifname "${FAR}" ${what}; }`;
const FROM_RECEIVER = `chain out { type filter hook output priority 0; oifname "${FAR}" drop; }`;
const filter = (...chains: string[]): string => `table inet failover { ${chains.join('; ')}; }`;

const dropBothWays = ({ network }: Scene): Promise<void> => network.filter(filter(toReceiver('drop'), FROM_RECEIVER));
const farDown = ({ network }: Scene): Promise<string> => network.ip('receiver', `link set ${FAR} down`);

export const FAILOVER_EVENTS: readonly FailoverEvent[] = [
  { name: 'none', text: 'nothing happens', latencyMs: LATENCY_MS, begin: () => undefined },
  { name: 'two-way', text: 'a link carries nothing any more, in either direction', ...silent, begin: dropBothWays },
  {
    name: 'one-way',
    text: 'a link carries nothing any more towards the receiver',
    ...silent,
    begin: ({ network }) => network.filter(filter(toReceiver('drop'))),
  },
  {
    name: 'link-down',
    text: 'the interface of a link goes down at the sender',
    ...down,
    begin: ({ network }) => network.ip('sender', `link set ${NEAR} down`),
  },
  { name: 'far-link-down', text: 'the interface of a link goes down at its far end', ...down, begin: farDown },
  {
    name: 'flap',
    text: 'a link carries nothing for 3 s',
    ...silent,
    begin: dropBothWays,
    end: { afterMs: FLAP_MS, run: ({ network }) => network.filter('delete table inet failover') },
  },
  {
    name: 'far-link-flap',
    text: 'the far end of a link is down for 3 s',
    ...down,
    begin: farDown,
    end: {
      afterMs: FLAP_MS,
      async run({ network }) {
        await network.ip('receiver', `link set ${FAR} up`);
        await network.routeBack(HIT_LINK);
      },
    },
  },
  {
    name: 'loss',
    text: 'a link loses 20 % of the packets towards the receiver',
    latencyMs: LATENCY_MS,
    begin: ({ network }) => network.filter(filter(toReceiver('numgen random mod 100 < 20 drop'))),
  },
  ...(['receiver', 'sender'] as const).map((end): FailoverEvent => ({
    name: `${end}-stall`,
    text: `the ${end} gets no processor for ${STALL_MS} ms: what its buffers lose SRT has to send again`,
    latencyMs: LATENCY_MS,
    begin: (scene) => scene.pause(end),
    end: { afterMs: STALL_MS, run: (scene) => scene.resume(end) },
  })),
  {
    name: 'restart',
    text: 'the receiver is killed, and started again at once',
    latencyMs: RESTART_LATENCY_MS,
    figure: 'backAfterMs',
    begin: ({ killReceiver }) => killReceiver(),
    end: { afterMs: 0, run: ({ startReceiver }) => startReceiver() },
  },
];

import type { Namespaces, Side } from './namespaces.ts';
import { farEnd, nearEnd } from './namespaces.ts';

/** The link that things happen to. */
export const HIT_LINK = 0;
const FLAP_MS = 3000;
const STALL_MS = 20;
/** Of an SRT session that lives through the start of a receiver. */
const RESTART_LATENCY_MS = 4000;

/** What can be done to the scene of a run. */
export interface Scene {
  readonly network: Namespaces;
  killReceiver(): Promise<void>;
  /** Resolves when it serves. */
  startReceiver(): Promise<void>;
  /** Takes an end from the processor, as a busy machine does, and gives it back. */
  pause(end: Side): void;
  resume(end: Side): void;
}

type Act = () => Promise<unknown> | void;

/** Something that happens in mid-stream. */
export interface FailoverEvent {
  readonly name: string;
  /** For people. */
  readonly text: string;
  /** Of the SRT session, where the usual one does not suit. */
  readonly latencyMs?: number;
  /** It happens to the link, which so has to carry something before. */
  readonly hitsLink: boolean;
  /** What is measured beside what is missing: for how long new data goes into the dead link, or until data reaches the server again. */
  readonly figure?: 'lastNewDataMs' | 'backAfterMs';
  /** Makes ready what makes it happen: called seconds before, so that the act itself takes no time. */
  prepare(scene: Scene): Act;
  /** Without it, it stays as it is. */
  readonly end?: { readonly afterMs: number; act(scene: Scene): Promise<unknown> | void };
}

const [NEAR, FAR] = [nearEnd(HIT_LINK), farEnd(HIT_LINK)];
const TABLE = 'inet failover';

/** What comes by the link to one side. Nobody is told of it: a filter of what leaves would make the system refuse to send. */
function filterInput(network: Namespaces, side: Side, what: string): Act {
  const device = side === 'sender' ? NEAR : FAR;
  const chain = `chain in { type filter hook input priority 0; iifname "${device}" ${what}; }`;
  return network.filter(side, `table ${TABLE} { ${chain}; }`);
}

function dropBothWays({ network }: Scene): Act {
  const acts = (['receiver', 'sender'] as const).map((side) => filterInput(network, side, 'drop'));
  return () => Promise.all(acts.map((act) => act()));
}

const farDown =
  ({ network }: Scene): Act =>
  () =>
    network.ip('receiver', `link set ${FAR} down`);

/** The system throws away what is for an interface without a carrier before anybody can see it: what is lost there is not measured. */
export const FAILOVER_EVENTS: readonly FailoverEvent[] = [
  { name: 'none', text: 'nothing happens', hitsLink: false, prepare: () => () => undefined },
  {
    name: 'two-way',
    text: 'a link carries nothing any more, in either direction',
    hitsLink: true,
    figure: 'lastNewDataMs',
    prepare: dropBothWays,
  },
  {
    name: 'one-way',
    text: 'a link carries nothing any more towards the receiver',
    hitsLink: true,
    figure: 'lastNewDataMs',
    prepare: ({ network }) => filterInput(network, 'receiver', 'drop'),
  },
  {
    name: 'link-down',
    text: 'the interface of a link goes down at the sender',
    hitsLink: true,
    prepare:
      ({ network }) =>
      () =>
        network.ip('sender', `link set ${NEAR} down`),
  },
  {
    name: 'far-link-down',
    text: 'the interface of a link goes down at its far end',
    hitsLink: true,
    prepare: farDown,
  },
  {
    name: 'flap',
    text: 'a link carries nothing for 3 s',
    hitsLink: true,
    figure: 'lastNewDataMs',
    prepare: dropBothWays,
    end: {
      afterMs: FLAP_MS,
      act: ({ network }) =>
        Promise.all((['sender', 'receiver'] as const).map((side) => network.filter(side, `delete table ${TABLE}`)())),
    },
  },
  {
    name: 'far-link-flap',
    text: 'the far end of a link is down for 3 s',
    hitsLink: true,
    prepare: farDown,
    end: {
      afterMs: FLAP_MS,
      async act({ network }) {
        await network.ip('receiver', `link set ${FAR} up`);
        await network.routeBack(HIT_LINK);
      },
    },
  },
  {
    name: 'loss',
    text: 'a link loses 20 % of the packets towards the receiver',
    hitsLink: true,
    prepare: ({ network }) => filterInput(network, 'receiver', 'numgen random mod 100 < 20 drop'),
  },
  ...(['receiver', 'sender'] as const).map((end): FailoverEvent => ({
    name: `${end}-stall`,
    text: `the ${end} gets no processor for ${STALL_MS} ms: what its buffers lose SRT has to send again`,
    hitsLink: false,
    prepare: (scene) => () => scene.pause(end),
    end: { afterMs: STALL_MS, act: (scene) => scene.resume(end) },
  })),
  {
    name: 'restart',
    text: 'the receiver is killed, and started again at once',
    latencyMs: RESTART_LATENCY_MS,
    hitsLink: false,
    figure: 'backAfterMs',
    prepare:
      ({ killReceiver }) =>
      () =>
        killReceiver(),
    end: { afterMs: 0, act: ({ startReceiver }) => startReceiver() },
  },
];

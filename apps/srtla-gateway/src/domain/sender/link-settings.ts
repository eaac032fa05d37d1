/** Links of an uplink are numbered 0 to MAX_LINKS - 1: what receivers take in a group. */
export const MAX_LINKS = 16;

/** How a link is to be used; all of it may change while a stream runs. */
export interface LinkSettings {
  /** A link that is off is closed: it sends nothing, not even keepalives. */
  readonly enabled: boolean;
  /** Its share against that of others, 0.1 to 10; of two that are alike, the one with 2 gets about twice as much. */
  readonly priority: number;
  /** 0 to 1000. Links of a lower cost come first: dearer ones carry only what those have no room for. */
  readonly cost: number;
  /** It is given no more than this, unless no other link has room; 0: no limit. */
  readonly maxBitrateBps: number;
  /** UDP payload both ways, since it was added, after which it takes no more data; 0: no cap. A greater cap opens it again. */
  readonly capBytes: number;
}

export const LINK_DEFAULTS: LinkSettings = { enabled: true, priority: 1, cost: 0, maxBitrateBps: 0, capBytes: 0 };

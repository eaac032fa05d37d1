import type { EncoderLostReason, LinkLostReason, WeakReason } from '../domain/sender/sender-parts.ts';

/** Which link, of the uplink that the event is about. */
export interface LinkOf {
  readonly link: { readonly number: number; readonly name: string };
}

/** What happens to an uplink, as its control side tells it: plain data without secrets. */
export type UplinkHappening =
  | { readonly type: 'uplink-created' | 'uplink-deleted' }
  /** Its settings or those of a link are others. */
  | { readonly type: 'uplink-updated' }
  /** What ran it died; it runs anew, and the encoder has to connect again. */
  | { readonly type: 'uplink-restarted'; readonly cause: string }
  /** The receiver has given it a group. Again after the receiver forgot that. */
  | { readonly type: 'registered' }
  /** Where the receiver is, when that is known or has changed. */
  | { readonly type: 'receiver-resolved'; readonly addresses: readonly string[] }
  /** No link takes the encoder's packets: they are dropped. Once, until a link does. */
  | { readonly type: 'no-link' }
  | {
      readonly type: 'encoder-up';
      readonly address: string;
      /** Redacted; null when it sent none. */
      readonly streamId: string | null;
      readonly latencyMs: number;
    }
  | { readonly type: 'encoder-down'; readonly reason: EncoderLostReason }
  | ({ readonly type: 'link-down'; readonly reason: LinkLostReason } & LinkOf)
  /** It has no socket, for a reason in words; it is tried again each second. Once for each reason. */
  | ({ readonly type: 'link-waiting'; readonly problem: string } & LinkOf)
  /** By the system's routes it leaves by another network than its own: in words, with what would mend it. */
  | ({ readonly type: 'link-misrouted'; readonly problem: string } & LinkOf)
  /** What it asks is answered from elsewhere, or not at all: in words. Once for each reason. */
  | ({ readonly type: 'link-unanswered'; readonly problem: string } & LinkOf)
  /** The system does not let its socket be bound to its device: routes decide which way it goes. Once. */
  | ({ readonly type: 'link-unbound'; readonly device: string } & LinkOf)
  | ({ readonly type: 'link-refused'; readonly forGood: boolean } & LinkOf)
  | ({ readonly type: 'link-weak'; readonly reason: WeakReason } & LinkOf)
  /** It gets no new data; what it had in flight goes out again by others. `recovered` or `link-down` ends it. */
  | ({ readonly type: 'failover'; readonly unprovenPackets: number } & LinkOf)
  | ({
      readonly type: 'link-added' | 'link-removed' | 'link-up' | 'link-strong' | 'recovered' | 'cap-reached';
    } & LinkOf);

export type UplinkEvent = UplinkHappening & { readonly uplinkId: string; readonly unixMs: number };

import type { AddressWords } from '@mediaplane/net';
import type { RelayPath } from '../domain/relay/relay-parts.ts';
import type { RelayKeys } from '../tokens/relay-seals.ts';

/**
 * The relay's part of the contract. A link whose group another instance owns is a session beside its listener's, with a socket of its own
 * on the private network: what the link sends to the listener goes out of that to the owner's relay socket as it is, and back.
 */

/** Fails where the address is a link of the listener, or is relayed already. */
export interface RelayInit {
  readonly kind: 'relay';
  readonly listenerId: string;
  /** The link. */
  readonly origin: AddressWords;
  /** Of its group, as `foreign-group` told it; null where the link has only sent what links send. */
  readonly groupId: string | null;
  /** From the session's socket to the owner's relay socket. */
  readonly path: RelayPath;
  readonly keys: RelayKeys;
  /** Ours. */
  readonly instanceId: string;
  readonly linkTimeoutUs: number;
}

/** Of the relay's session. */
export type RelayEvent =
  /** The owner says nothing, though the link does; told every second while that is so. */
  | { readonly type: 'relay-owner-silent' }
  /** The link is over. */
  | { readonly type: 'relay-sender-silent' };

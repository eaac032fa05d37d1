import type { Route } from '@mediaplane/control';
import { requestId } from '@mediaplane/service';
import { GROUP_KIND, LISTENER_KIND, UPLINK_KIND } from '../kinds.ts';

type OwnerRoute<R> = Extract<Route<R>, { kind: 'owner' }>;
type PlacedRoute<R> = Extract<Route<R>, { kind: 'placed' }>;

export function listenerOwner<R extends { readonly listenerId: string }>(): OwnerRoute<R> {
  return {
    kind: 'owner',
    field: 'listener_id',
    sessionKind: LISTENER_KIND,
    sessionId: (request) => request.listenerId,
  };
}

export function groupOwner<R extends { readonly groupId: string }>(): OwnerRoute<R> {
  return { kind: 'owner', field: 'group_id', sessionKind: GROUP_KIND, sessionId: (request) => request.groupId };
}

export function uplinkOwner<R extends { readonly uplinkId: string }>(): OwnerRoute<R> {
  return { kind: 'owner', field: 'uplink_id', sessionKind: UPLINK_KIND, sessionId: (request) => request.uplinkId };
}

/** On the instance that the request names, else on one that placement chooses. */
export function placed<R extends { readonly instanceId: string }>(): PlacedRoute<R> {
  return { kind: 'placed', pinned: { field: 'instance_id', instanceId: (request) => request.instanceId } };
}

/** A mutation of an uplink: what every such method has in common, and its work. */
export function uplinkChange<Request extends { readonly uplinkId: string; readonly requestId: string }, Response>(
  handler: (request: Request) => Promise<Response>,
) {
  return { route: uplinkOwner<Request>(), requestId, handler };
}

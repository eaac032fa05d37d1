import type { Router } from '@mediaplane/control';
import { RtpPeerServiceDefinition } from '@mediaplane/proto';
import { defineApi } from '@mediaplane/service';
import type { Api } from '@mediaplane/service';
import type { Channels } from '../channels/channels.ts';
import type { PeerCalls } from '../channels/remote-bridges.ts';
import { guarded, owned } from './routes.ts';

const TIMEOUT_MS = 5000;

/** `mediaplane.rtp.v1.RtpPeerService`, which instances call among themselves. */
export function rtpPeerApi(channels: () => Channels): Api<RtpPeerServiceDefinition> {
  return defineApi(
    RtpPeerServiceDefinition,
    {
      attachPeerLeg: {
        route: owned(),
        handler: guarded((request) => channels().remoteBridges.onAttach(request)),
      },
      detachPeerLeg: {
        route: owned(),
        handler: guarded((request) => channels().remoteBridges.onDetach(request)),
      },
    },
    { busOnly: true },
  );
}

export function peerCalls(api: Api<RtpPeerServiceDefinition>, router: Router): PeerCalls {
  return {
    attach: (request) => router.call(api.methods.attachPeerLeg, request, { timeoutMs: TIMEOUT_MS }),
    detach: (request) => router.call(api.methods.detachPeerLeg, request, { timeoutMs: TIMEOUT_MS }),
  };
}

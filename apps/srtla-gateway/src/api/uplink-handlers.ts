import type { Directory } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { requestId } from '@mediaplane/service';
import type { Handlers } from '@mediaplane/service';
import {
  keyFrameMs,
  linkChange,
  requireLink,
  uplinkChange as changeOf,
  validateUplink,
} from '../validation/uplink-requests.ts';
import type { UpstreamRange } from '../validation/upstream-range.ts';
import { listSessions } from '../watch/sessions.ts';
import { placed, uplinkChange, uplinkOwner } from './routes.ts';
import type { StandingUplinks } from './standing-uplinks.ts';
import type { UplinkSessions } from './uplink-sessions.ts';

/** Methods on uplinks and their links. */
export function uplinkHandlers(
  uplinks: UplinkSessions,
  standing: Pick<StandingUplinks, 'create'>,
  upstream: UpstreamRange,
  directory: Directory<srtla.SrtlaSession>,
) {
  return {
    createUplink: {
      route: placed(),
      requestId,
      handler: async ({ settings }) => ({ uplink: await standing.create(validateUplink(settings, upstream)) }),
    },
    updateUplink: uplinkChange(async (request) => {
      const { change, labels } = changeOf(request, uplinks.describe(request.uplinkId, false));
      return { uplink: await uplinks.update(request.uplinkId, change, labels) };
    }),
    addLink: uplinkChange(async ({ uplinkId, link }) => ({
      uplink: await uplinks.addLink(uplinkId, requireLink(link)),
    })),
    updateLink: uplinkChange(async (request) => {
      const { uplinkId, linkName } = request;
      const change = linkChange(request, uplinks.describe(uplinkId, false));
      return { uplink: await uplinks.updateLink(uplinkId, linkName, change) };
    }),
    removeLink: uplinkChange(async ({ uplinkId, linkName }) => ({
      uplink: await uplinks.removeLink(uplinkId, linkName),
    })),
    markKeyFrames: {
      route: uplinkOwner(),
      handler: async ({ uplinkId, durationMs }) => {
        await uplinks.keyFrames(uplinkId, keyFrameMs(durationMs));
        return {};
      },
    },
    deleteUplink: uplinkChange(async ({ uplinkId }) => ({ uplink: await uplinks.delete(uplinkId) })),
    getUplink: {
      route: uplinkOwner(),
      handler: async ({ uplinkId, view }) => ({ uplink: uplinks.describe(uplinkId, view === srtla.UplinkView.STATS) }),
    },
    listUplinks: {
      route: { kind: 'local' },
      handler: async (request) => {
        const { sessions, nextPageToken } = await listSessions(directory, 'uplink', request);
        return { uplinks: sessions, nextPageToken };
      },
    },
  } satisfies Partial<Handlers<srtla.SrtlaGatewayServiceDefinition>>;
}

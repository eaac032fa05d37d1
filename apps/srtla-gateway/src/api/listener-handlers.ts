import type { Directory } from '@mediaplane/control';
import { requireSessionId, ServiceError } from '@mediaplane/control';
import type { NetInterface } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { requestId } from '@mediaplane/service';
import type { Handlers } from '@mediaplane/service';
import { LISTENER_KIND } from '../kinds.ts';
import type { Listeners } from '../listeners/listeners.ts';
import { validateListener } from '../validation/listener-settings.ts';
import type { UpstreamRange } from '../validation/upstream-range.ts';
import { listSessions } from '../watch/sessions.ts';
import { groupOwner, listenerOwner, placed } from './routes.ts';

const MAX_REASON_CHARACTERS = 256;

/** Methods on listeners and groups. */
export function listenerHandlers(
  listeners: Listeners,
  interfaces: readonly NetInterface[],
  upstream: UpstreamRange,
  directory: Directory<srtla.SrtlaSession>,
) {
  return {
    createListener: {
      route: placed(),
      requestId,
      handler: async ({ settings }) => ({
        listener: await listeners.create(validateListener(settings, interfaces, upstream)),
      }),
    },
    deleteListener: {
      route: listenerOwner(),
      requestId,
      handler: async ({ listenerId }) => ({ listener: await listeners.delete(listenerId) }),
    },
    listListeners: {
      route: { kind: 'local' },
      handler: async (request) => {
        const { sessions, nextPageToken } = await listSessions(directory, 'listener', request);
        return { listeners: sessions, nextPageToken };
      },
    },
    listGroups: {
      route: { kind: 'local' },
      handler: async (request) => {
        const { listenerId } = request;
        if (listenerId !== '') requireSessionId('listener_id', listenerId, LISTENER_KIND);
        const wanted = (group: srtla.Group): boolean => listenerId === '' || group.listenerId === listenerId;
        const { sessions, nextPageToken } = await listSessions(directory, 'group', request, listenerId, wanted);
        return { groups: sessions, nextPageToken };
      },
    },
    getGroup: {
      route: groupOwner(),
      handler: async ({ groupId, view }) => ({
        group: await listeners.describeGroup(groupId, view === srtla.GroupView.STATS),
      }),
    },
    kickGroup: {
      route: groupOwner(),
      requestId,
      handler: async ({ groupId, reasonText }) => {
        if (reasonText.length > MAX_REASON_CHARACTERS) {
          throw ServiceError.invalidField('reason_text', `must have at most ${MAX_REASON_CHARACTERS} characters`);
        }
        return { group: await listeners.kick(groupId, reasonText) };
      },
    },
  } satisfies Partial<Handlers<srtla.SrtlaGatewayServiceDefinition>>;
}

import type { RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { Handlers } from '@mediaplane/service';
import { bounded, requestId } from '@mediaplane/service';
import { validateReason } from '../validation/close-request.ts';
import type { BatchClose } from '../watch/batch-close.ts';
import type { ListChannels } from '../watch/list-channels.ts';
import type { WatchChannels } from '../watch/watch-channels.ts';
import { guarded } from './routes.ts';

/** Methods on the channels of all instances, which any instance answers. */
export function fleetHandlers(list: ListChannels, watch: WatchChannels, maxWatches: number, batchClose: BatchClose) {
  return {
    listChannels: { route: { kind: 'local' }, handler: guarded(list) },
    watchChannels: {
      route: { kind: 'local' },
      handler: bounded('watches', maxWatches, (request, { signal }) => watch(request, signal)),
    },
    batchCloseChannels: {
      route: { kind: 'local' },
      requestId,
      timeoutMs: 60_000,
      handler: guarded(({ filter, reasonText }, { signal }) => batchClose(filter, validateReason(reasonText), signal)),
    },
  } satisfies Partial<Handlers<RtpChannelServiceDefinition>>;
}

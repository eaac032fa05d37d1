import { randomBytes } from 'node:crypto';
import type { Logger } from '@mediaplane/control';
import type { NetInterface, UdpSocketHandle, UdpSockets } from '@mediaplane/net';
import type { srtla } from '@mediaplane/proto';
import { SOCKET_ROLE } from '../media/contract.ts';
import type { ListenerInit, ResumedGroup } from '../media/listener-contract.ts';
import type { GroupTokensOptions } from '../tokens/group-tokens.ts';
import { receiverOptions } from '../validation/listener-settings.ts';
import { addressWords } from './endpoint.ts';
import type { GroupRecords } from './group-records.ts';
import { LiveGroup } from './live-group.ts';
import { LiveListener } from './live-listener.ts';
import type { ListenerMedia, Upstreams } from './upstreams.ts';

export interface OpeningParts {
  readonly instanceId: string;
  newListenerId(): string;
  newGroupId(): string;
  readonly media: ListenerMedia;
  readonly sockets: UdpSockets;
  readonly interfaces: readonly NetInterface[];
  readonly dscp: number;
  readonly receiveBufferBytes: number;
  readonly upstreams: Upstreams;
  readonly records: GroupRecords;
  /** As they are now. */
  tokens(): GroupTokensOptions;
  readonly log: Logger;
}

export interface OpeningOptions {
  readonly settings: srtla.ListenerSettings;
  readonly configured: boolean;
  /** '' for a new one. */
  readonly formerId: string;
}

/** Opens listeners: the socket, the groups of before, and last the media session, which takes senders from then on. */
export class Opening {
  readonly #parts: OpeningParts;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /** The socket is bound and the groups of before have theirs; `start` does the rest. Rejects with NetError. */
  async prepare(options: OpeningOptions): Promise<LiveListener> {
    const { sockets, interfaces, dscp, receiveBufferBytes, instanceId } = this.#parts;
    const { settings } = options;
    const networkInterface = interfaces.find(({ name }) => name === settings.interface);
    if (networkInterface === undefined) throw new Error(`no interface ${settings.interface}`);
    const { bindAddress, advertisedAddress } = networkInterface;
    const socket = await sockets.open({
      address: bindAddress,
      port: settings.port,
      dscp,
      receiveBufferBytes,
      sendBufferBytes: receiveBufferBytes,
    });
    const record: srtla.Listener = {
      listenerId: this.#parts.newListenerId(),
      instanceId,
      settings,
      address: { address: advertisedAddress, port: socket.port },
      createTime: new Date(),
      configured: options.configured,
      formerListenerId: options.formerId,
      receiveBufferBytes: socket.receiveBufferBytes,
    };
    const listener = new LiveListener(socket, record, settings);
    await this.#takeOver(listener);
    return listener;
  }

  /** Opens the media session, with the groups of `listener.resuming`. Rejects with MediaError. */
  async start(listener: LiveListener): Promise<void> {
    const init: ListenerInit = {
      kind: 'listener',
      options: receiverOptions(listener.settings),
      tokens: this.#parts.tokens(),
      seed: randomBytes(4).readUInt32BE(),
      resume: [...listener.resuming.values()].map(resumed),
      endedIds: listener.endedKeys,
      relay: null,
    };
    await this.#parts.media.open(listener.mediaId, [{ role: SOCKET_ROLE, handle: listener.socket }], init);
    listener.isOpen = true;
  }

  /** Gives back what `prepare` took. */
  async undo(listener: LiveListener): Promise<void> {
    for (const group of listener.resuming.values()) await this.#parts.upstreams.release(group);
    this.#parts.sockets.close(listener.socket);
  }

  async #takeOver(listener: LiveListener): Promise<void> {
    const { records } = this.#parts;
    const left = records.takeLeft(listener.name);
    for (const key of left.endedKeys) listener.rememberEnded(key);
    for (const record of left.groups) {
      const group = await this.#revive(listener, record);
      if (group === undefined) records.forget(listener.name, record);
      else listener.resuming.set(group.key, group);
    }
  }

  /** Undefined when there is no way to go on at all. */
  async #revive(listener: LiveListener, record: srtla.GroupRecord): Promise<LiveGroup | undefined> {
    const { group: former, serverAddress } = record;
    if (former === undefined || serverAddress === undefined) return undefined;
    const { instanceId, newGroupId, log } = this.#parts;
    const next: srtla.Group = {
      ...former,
      groupId: newGroupId(),
      instanceId,
      listenerId: listener.id,
      formerGroupId: former.groupId,
      links: [],
      labels: listener.labels,
    };
    const group = new LiveGroup(listener, Buffer.from(record.key).toString('hex'), next, Date.now());
    const { callerSocketId, serverSocketId } = record;
    group.stream = { callerSocketId, serverSocketId, latencyMs: former.latencyMs };
    group.streamName = former.streamName;
    group.seenUnixMs = record.seenTime?.getTime() ?? Date.now();
    group.formerLinks = former.links;
    try {
      const address = addressWords(serverAddress);
      const socket = await this.#bind(group, former.upstream, serverAddress);
      group.upstream = { socket, address, sessionId: '' };
      next.upstream = { address: socket.address, port: socket.port };
      return group;
    } catch (err) {
      log.error({ err, formerGroupId: former.groupId }, 'a group of before cannot go on');
      return undefined;
    }
  }

  /** The port that the SRT server knows. Where it cannot be had, another, by which the end of the session is told. */
  async #bind(
    group: LiveGroup,
    former: srtla.Endpoint | undefined,
    serverAddress: srtla.Endpoint,
  ): Promise<UdpSocketHandle> {
    const { upstreams } = this.#parts;
    try {
      if (former === undefined) throw new Error('its port is not known');
      return await upstreams.bindAgain(former);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      group.moved = { former, cause };
      return upstreams.bindAnew(addressWords(serverAddress));
    }
  }
}

function resumed(group: LiveGroup): ResumedGroup {
  const links = group.record.links.length > 0 ? group.record.links : group.formerLinks;
  return {
    id: group.key,
    links: links.flatMap(({ address, joinedLate }) =>
      address === undefined ? [] : [{ address: addressWords(address), joinedLate }],
    ),
    stream: group.stream,
  };
}

import { randomBytes } from 'node:crypto';
import type { Logger } from '@mediaplane/control';
import type { AddressWords, NetInterface, UdpSocketHandle, UdpSockets } from '@mediaplane/net';
import type { srtla } from '@mediaplane/proto';
import type { ReceiverOptions } from '../domain/receiver/options.ts';
import { RELAY_ROLE, SOCKET_ROLE } from '../media/contract.ts';
import type { ListenerInit, ResumedGroup } from '../media/listener-contract.ts';
import { relayPurpose, socketAddress, socketText } from '../relay/relay-network.ts';
import type { RelayNetwork } from '../relay/relay-network.ts';
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
  /** Undefined: links are not handed on. */
  readonly relays: RelayNetwork | undefined;
  announce(purpose: string, address: string): void;
  /** What a listener does with groups that another instance began. */
  readonly foreignGroups: ReceiverOptions['foreignGroups'];
  /** Whether no other instance has adopted a group that this node's last instance has left. */
  mayResume(key: string, formerInstanceId: string): Promise<boolean>;
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
    try {
      await this.#openRelaySocket(listener);
    } catch (error) {
      sockets.close(socket);
      throw error;
    }
    // One that is new has nothing to take over, whatever another of its name has left.
    if (options.configured || options.formerId !== '') await this.#takeOver(listener);
    return listener;
  }

  /** Opens the media session, with the groups of `listener.resuming`. Rejects with MediaError. */
  async start(listener: LiveListener): Promise<void> {
    const init: ListenerInit = {
      kind: 'listener',
      options: { ...receiverOptions(listener.settings), foreignGroups: this.#parts.foreignGroups },
      tokens: this.#parts.tokens(),
      seed: randomBytes(4).readUInt32BE(),
      resume: [...listener.resuming.values()].map(resumed),
      endedIds: listener.endedKeys,
      relay: this.#relayInit(listener),
    };
    const { socket, relaySocket } = listener;
    const sockets = [{ role: SOCKET_ROLE, handle: socket }];
    if (relaySocket !== undefined) sockets.push({ role: RELAY_ROLE, handle: relaySocket });
    await this.#parts.media.open(listener.mediaId, sockets, init);
    listener.isOpen = true;
  }

  /** Gives back what `prepare` took. */
  async undo(listener: LiveListener): Promise<void> {
    for (const group of listener.resuming.values()) await this.#parts.upstreams.release(group);
    this.closeSockets(listener);
  }

  /** Its media session is closed. */
  closeSockets({ socket, relaySocket, name }: LiveListener): void {
    this.#parts.sockets.close(socket);
    if (relaySocket === undefined) return;
    this.#parts.announce(relayPurpose(name), '');
    this.#parts.sockets.close(relaySocket);
  }

  /**
   * What is left of a group whose owner is gone, to be adopted: it waits in `listener.resuming`. Undefined when nothing is; `ended`: its id
   * is good no more.
   */
  async takeOverForeign(listener: LiveListener, groupId: string): Promise<LiveGroup | 'ended' | undefined> {
    const record = await this.#parts.records.takeForeign(listener.name, groupId);
    if (record === undefined || record === 'ended') return record;
    const group = await this.#revive(listener, record);
    if (group !== undefined) listener.resuming.set(group.key, group);
    return group;
  }

  /** The media thread does not take it. */
  async giveUp(listener: LiveListener, group: LiveGroup): Promise<void> {
    listener.resuming.delete(group.key);
    await this.#parts.upstreams.release(group);
  }

  async #takeOver(listener: LiveListener): Promise<void> {
    const { records } = this.#parts;
    const left = await records.takeLeft(listener.name, Date.now());
    for (const key of left.endedKeys) listener.rememberEnded(key);
    const ours = await Promise.all(left.groups.map((record) => this.#isOurs(record)));
    for (const [i, record] of left.groups.entries()) {
      const group = ours[i] ? await this.#revive(listener, record) : undefined;
      if (group === undefined) records.forget(listener.name, record);
      else listener.resuming.set(group.key, group);
    }
  }

  /** Another instance may have adopted it. */
  async #isOurs({ key, group }: srtla.GroupRecord): Promise<boolean> {
    const isOurs = await this.#parts.mayResume(Buffer.from(key).toString('hex'), group?.instanceId ?? '');
    if (!isOurs) this.#parts.log.info({ formerGroupId: group?.groupId }, 'a group of before lives elsewhere');
    return isOurs;
  }

  #relayInit({ relaySocket }: LiveListener): ListenerInit['relay'] {
    const { relays } = this.#parts;
    if (relaySocket === undefined || relays === undefined) return null;
    const { keys, maxPacketsPerSecond } = relays;
    return { options: { address: socketAddress(relaySocket), maxPacketsPerSecond }, keys };
  }

  async #openRelaySocket(listener: LiveListener): Promise<void> {
    const { relays, announce } = this.#parts;
    if (relays === undefined) return;
    const socket = await relays.openOwnerSocket(listener.settings.interface);
    listener.relaySocket = socket;
    announce(relayPurpose(listener.name), socketText(socket));
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
      const socket = await this.#bind(group, former.upstream, address);
      group.upstream = { socket, address, sessionId: '' };
      next.upstream = { address: socket.address, port: socket.port };
      return group;
    } catch (err) {
      log.error({ err, formerGroupId: former.groupId }, 'a group of before cannot go on');
      return undefined;
    }
  }

  /** The port that the SRT server knows. Where it cannot be had, another, by which the end of the session is told. */
  async #bind(group: LiveGroup, former: srtla.Endpoint | undefined, server: AddressWords): Promise<UdpSocketHandle> {
    const { upstreams } = this.#parts;
    try {
      if (former === undefined) throw new Error('its port is not known');
      return await upstreams.bindAgain(former, server);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      group.moved = { former, cause };
      return upstreams.bindAnew(server);
    }
  }
}

function resumed(group: LiveGroup): ResumedGroup {
  const all = group.record.links.length > 0 ? group.record.links : group.formerLinks;
  // Those that others hand on, they register again.
  const links = all.filter(({ relayedBy }) => relayedBy === '');
  return {
    id: group.key,
    links: links.flatMap(({ address, joinedLate }) =>
      address === undefined ? [] : [{ address: addressWords(address), joinedLate }],
    ),
    stream: group.stream,
  };
}

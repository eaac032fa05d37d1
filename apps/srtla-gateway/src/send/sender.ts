import { MediaThreads } from '@mediaplane/media';
import { createUdpSockets, defaultImplementation } from '@mediaplane/net';
import type { SrtlaContract } from '../media/contract.ts';
import { LinksFileWatch } from '../uplinks/links-file-watch.ts';
import type { LinksFile } from '../uplinks/links-file.ts';
import { Uplinks } from '../uplinks/uplinks.ts';
import type { UplinkView } from '../uplinks/view.ts';
import type { Display } from './displays.ts';
import type { SendOptions } from './options.ts';

/** Media threads run from source, also when this file was compiled to dist/. */
const PROGRAM = new URL('../../src/media/program.ts', import.meta.url);
const UPLINK_ID = 'up_send_1';
/** Of the media thread's memory, beside what is kept to go out again: for what is being received. */
const BASE_ARENA_BYTES = 4 << 20;
/** Half a second of the stream is kept, in a power of 2. */
const KEPT_SECONDS = 1;

export interface SenderObserver {
  onLinkUp(): void;
  /** Once a second. */
  onStatistics(view: UplinkView): void;
}

/** One uplink, its media thread in this process, and the file of its links. */
export class StandaloneSender implements AsyncDisposable {
  readonly #uplinks: Uplinks;
  readonly #linksFile: LinksFileWatch;
  readonly #stack: AsyncDisposableStack;

  private constructor(uplinks: Uplinks, linksFile: LinksFileWatch, stack: AsyncDisposableStack) {
    this.#uplinks = uplinks;
    this.#linksFile = linksFile;
    this.#stack = stack;
  }

  /** Resolves when an encoder can connect. @throws Error whose message is for people */
  static async start(options: SendOptions, display: Display, observer: SenderObserver): Promise<StandaloneSender> {
    await using stack = new AsyncDisposableStack();
    const { linksFile: path, listenAddress, listenPort, receiverHost, receiverPort, mode, maxBitrateBps } = options;
    const noteProblems = ({ problems }: LinksFile): void => {
      for (const { line, message } of problems) display.note(`${path}, line ${line}: ${message}; left out`);
    };
    const { watch, file } = await LinksFileWatch.open({
      path,
      onLinks: (changed) => {
        noteProblems(changed);
        uplinks
          .setLinks(UPLINK_ID, changed.links)
          .catch((error: unknown) => display.note(`links: ${messageOf(error)}`));
      },
      onRefused: ({ message }) => display.note(`${message}; the links stay as they are`),
    });
    stack.use(watch);
    noteProblems(file);
    const note = (fields: object, message: string): void =>
      display.note([message, ...Object.values(fields).map(String)].join(': '));
    const implementation = defaultImplementation(process.env, process.platform, process.arch);
    const media = await MediaThreads.start<SrtlaContract>({
      threads: 1,
      program: PROGRAM,
      programCounters: [],
      implementation,
      latencyBudgetUs: options.latencyBudgetUs,
      arenaBytes: BASE_ARENA_BYTES + Math.ceil((maxBitrateBps / 8) * KEPT_SECONDS),
      onEvent: (sessionId, event) => void uplinks.onMediaEvent(sessionId, event),
      onSessionLost: (sessionId, handles, cause) => void uplinks.onSessionLost(sessionId, handles, cause),
    });
    stack.defer(() => media.stop());
    const uplinks: Uplinks = new Uplinks({
      media,
      sockets: createUdpSockets(implementation),
      log: { info: () => undefined, warn: note, error: note },
      newUplinkId: () => UPLINK_ID,
      onEvent: (event) => {
        if (event.type === 'link-up') observer.onLinkUp();
        // The uplink begins and ends with the process.
        if (event.type !== 'uplink-created' && event.type !== 'uplink-deleted') display.event(event);
      },
      onStatistics: (view) => {
        display.statistics(view);
        observer.onStatistics(view);
      },
    });
    stack.defer(() => uplinks.stop());
    const { links } = file;
    display.started(
      await uplinks.create({ listenAddress, listenPort, receiverHost, receiverPort, mode, maxBitrateBps, links }),
    );
    void watch.follow();
    return new StandaloneSender(uplinks, watch, stack.move());
  }

  /** Reads the file of links again. */
  reload(): Promise<void> {
    return this.#linksFile.reload();
  }

  view(): UplinkView {
    return this.#uplinks.describe(UPLINK_ID);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

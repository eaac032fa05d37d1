/** What the parent and the bare engine's process say to each other. Plain data, by IPC. */

export type EngineMode = 'idle' | 'echo' | 'relay';

export type ToBareEngine =
  | { readonly type: 'open'; readonly mode: EngineMode; readonly remotePorts: readonly number[] }
  | { readonly type: 'closeAll' }
  | { readonly type: 'memory' };

export type FromBareEngine =
  | { readonly type: 'ready' }
  | { readonly type: 'opened'; readonly ports: readonly number[] }
  | { readonly type: 'closed' }
  | { readonly type: 'memory'; readonly heapBytes: number; readonly externalBytes: number }
  | { readonly type: 'failed'; readonly message: string };

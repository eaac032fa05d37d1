/** Who said no to an encoder: the rules (a verdict), the gateway by itself (nobody decided, no server answered), or the SRT server. */
export type RefusedBy = 'verdict' | 'gateway' | 'server';

/** Who ended an SRT session. `gateway`: on command. */
export type IngestEnd = 'encoder' | 'server' | 'gateway';

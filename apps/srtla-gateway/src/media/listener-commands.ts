import type { CommandHandlers } from '@mediaplane/media';
import type { SrtlaContract } from './contract.ts';
import type { ListenerCommands } from './listener-contract.ts';
import { ListenerSession } from './listener-session.ts';
import type { SrtlaSession } from './program.ts';

/** What the control side may ask of a listener. */
export const LISTENER_COMMANDS: Pick<CommandHandlers<SrtlaSession, SrtlaContract>, keyof ListenerCommands> = {
  listenerStatistics: (session, _, nowUs) => listener(session).statistics(nowUs),
  verdict: (session, { group, request, reason }, nowUs) => listener(session).verdict(group, request, reason, nowUs),
  kickGroup: (session, { group }, nowUs) => listener(session).kick(group, nowUs),
  endStream: (session, { group }, nowUs) => listener(session).endStream(group, nowUs),
  adoptGroup: (session, args, nowUs) => listener(session).adopt(args, nowUs),
  refuseForeign: (session, { address, isRelayed }) => listener(session).refuseForeign(address, isRelayed),
  releaseGroup: (session, { group }, nowUs) => listener(session).release(group, nowUs),
  setDraining: (session, { draining }) => listener(session).setDraining(draining),
  setTokenKeys: (session, { current, previous }) => listener(session).setTokenKeys(current, previous),
};

function listener(session: SrtlaSession): ListenerSession {
  if (session instanceof ListenerSession) return session;
  throw new Error('not a listener');
}

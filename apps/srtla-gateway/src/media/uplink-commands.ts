import type { CommandHandlers } from '@mediaplane/media';
import type { SrtlaContract } from './contract.ts';
import type { SrtlaSession } from './program.ts';
import type { UplinkCommands } from './uplink-contract.ts';
import { UplinkSession } from './uplink-session.ts';
import { uplinkStatistics } from './uplink-statistics.ts';

/** What the control side may ask of an uplink. */
export const UPLINK_COMMANDS: Pick<CommandHandlers<SrtlaSession, SrtlaContract>, keyof UplinkCommands> = {
  uplinkStatistics: (session, _, nowUs) => uplinkStatistics(uplink(session).sender, nowUs),
  setUplinkMode: (session, { mode }) => done(uplink(session).sender.setMode(mode)),
  keyFrames: (session, { durationMs }, nowUs) => done(uplink(session).sender.onKeyFrames(nowUs + durationMs * 1000)),
  addLink: (session, { link, settings }) => done(uplink(session).sender.addLink(link, settings)),
  updateLink: (session, { link, settings }, nowUs) => done(uplink(session).updateLink(link, settings, nowUs)),
  removeLink: (session, { link }, nowUs) => done(uplink(session).removeLink(link, nowUs)),
};

function uplink(session: SrtlaSession): UplinkSession {
  if (session instanceof UplinkSession) return session;
  throw new Error('not an uplink');
}

function done(_: void): null {
  return null;
}

import { ChannelSession, type ChannelPort } from './channel-session.ts';
import { Player } from './player.ts';
import { RecordingTap } from './recording-tap.ts';
import { revive } from './revive.ts';
import type { ChannelSnapshot } from './session-snapshot.ts';
import type { ThreadTools } from './thread-tools.ts';

/** The session as it was on the thread that it left. */
export function restoreSession(
  tools: ThreadTools,
  port: ChannelPort,
  state: ChannelSnapshot,
  nowUs: number,
): ChannelSession {
  const session = new ChannelSession(tools, port, state.init, nowUs);
  revive(session.latch, state.latch);
  revive(session.received, state.received);
  revive(session.outbound.stream, state.outbound);
  revive(session.rtcp.latch, state.rtcpLatch);
  revive(session.rtcp.session, state.rtcpSession);
  session.digits.restore(state.digits);
  revive(session.idle, state.idle);
  revive(session.tally, state.tally);
  session.player = state.player && new Player(state.player);
  session.taps = state.taps.map((tap) => new RecordingTap(tap, session.recordingEmitter(tap.recordingId)));
  session.schedule();
  session.updateFrames();
  return session;
}

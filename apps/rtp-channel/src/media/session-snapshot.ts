import { ChannelSession, type ChannelPort } from './channel-session.ts';
import type { ChannelInit } from './contract.ts';
import type { DigitSnapshot } from './digit-session.ts';
import { Player, type PlayerState } from './player.ts';
import { RecordingTap, type RecordingTapState } from './recording-tap.ts';
import { revive } from './revive.ts';
import type { ThreadTools } from './thread-tools.ts';

/** A session on its way between threads: plain data once it has been cloned. Bridges stay behind. */
export interface ChannelSnapshot {
  readonly init: ChannelInit;
  readonly latch: object;
  readonly received: object;
  readonly outbound: object;
  readonly rtcpLatch: object;
  readonly rtcpSession: object;
  readonly digits: DigitSnapshot;
  readonly idle: object;
  readonly player: PlayerState | null;
  readonly taps: readonly RecordingTapState[];
  readonly tally: object;
}

export function snapshotOf(session: ChannelSession): ChannelSnapshot {
  const { identity, settings, latch, received, outbound, rtcp, digits, idle, player, taps, tally } = session;
  return {
    init: { ...identity, settings },
    latch,
    received,
    outbound: outbound.stream,
    rtcpLatch: rtcp.latch,
    rtcpSession: rtcp.session,
    digits: digits.snapshot(),
    idle,
    player: player?.state ?? null,
    taps: taps.map((tap) => tap.snapshot()),
    tally,
  };
}

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
  session.outbound.aim(session.latch.current);
  session.rtcp.aim();
  session.schedule();
  session.updateFrames();
  return session;
}

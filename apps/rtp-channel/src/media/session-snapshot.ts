import type { ChannelSession } from './channel-session.ts';
import type { ChannelInit } from './contract.ts';
import type { DigitSnapshot } from './digit-session.ts';
import type { PlayerState } from './player.ts';
import type { RecordingTapState } from './recording-tap.ts';

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
  session.tally.sendErrors = session.outbound.sendErrors;
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

import { plainAddress } from '@mediaplane/net';
import type { CommandHandlers, MediaProgram, MediaThread } from '@mediaplane/media';
import { LegBridge, LocalBridge } from './bridge.ts';
import { ChannelSession } from './channel-session.ts';
import type { ChannelContract, PlaybackPosition } from './contract.ts';
import { Player } from './player.ts';
import { RecordingTap } from './recording-tap.ts';
import { restoreSession } from './session-restore.ts';
import { ThreadTools } from './thread-tools.ts';

/** Position of the playback with that id, after `change`; null if it is not the one under way. */
function withPlayback(
  session: ChannelSession,
  playbackId: string,
  change: (player: Player) => void = () => undefined,
): PlaybackPosition | null {
  const { player } = session;
  if (player?.state.playbackId !== playbackId) return null;
  change(player);
  return player.position();
}

function tapOf(session: ChannelSession, recordingId: string): RecordingTap | undefined {
  return session.taps.find((tap) => tap.state.recordingId === recordingId);
}

function commands(tools: ThreadTools): CommandHandlers<ChannelSession, ChannelContract> {
  return {
    update: (session, settings, nowUs) => {
      session.update(settings, nowUs);
      return null;
    },
    statistics: (session, _, nowUs) => session.statistics(nowUs),
    latch: ({ latch, rtcp }) => ({
      rtpSource: latch.heard ? plainAddress(latch.current) : null,
      rtcpSource: rtcp.latch.heard ? plainAddress(rtcp.latch.current) : null,
      locked: latch.established,
      challenges: latch.challenges,
    }),
    bridge: (session, { peerChannelId }) => {
      const peer = session.port.peer(peerChannelId);
      if (!peer || peer === session) throw new Error(`channel ${peerChannelId} is not on this thread`);
      // Again, for a change of codecs: the bridge goes on, only its kind may be another.
      if (session.bridge?.peer === peer) return { kind: session.bridge.kind };
      session.unbridge();
      peer.unbridge();
      session.bridge = new LocalBridge(session, peer);
      peer.bridge = new LocalBridge(peer, session);
      return { kind: session.bridge.kind };
    },
    bridgeLeg: (session, { peerAddress, peerFormats }) => {
      session.unbridge();
      session.bridge = new LegBridge(tools, session, peerAddress, peerFormats);
      return { kind: session.bridge.kind };
    },
    unbridge: (session) => ({ peerChannelId: session.unbridge()?.port.sessionId ?? null }),
    startPlayback: (session, { playbackId, clips, plays, interruptOnDtmf }) => {
      session.endPlayback('replaced');
      session.player = Player.start(playbackId, clips, plays, interruptOnDtmf);
      const position = session.player.position();
      session.port.emit({ type: 'playback-started', position });
      session.updateFrames();
      return position;
    },
    getPlayback: (session, { playbackId }) => withPlayback(session, playbackId),
    pausePlayback: (session, { playbackId }) => withPlayback(session, playbackId, ({ state }) => (state.paused = true)),
    resumePlayback: (session, { playbackId }) =>
      withPlayback(session, playbackId, ({ state }) => (state.paused = false)),
    stopPlayback: (session, { playbackId }) => withPlayback(session, playbackId, () => session.endPlayback('stopped')),
    startRecording: (session, settings, nowUs) => {
      const tap = RecordingTap.start(settings, nowUs, session.recordingEmitter(settings.recordingId));
      session.taps = [...session.taps, tap];
      session.updateFrames();
      return null;
    },
    pauseRecording: (session, { recordingId }, nowUs) => {
      const tap = tapOf(session, recordingId);
      tap?.pause(nowUs);
      return tap !== undefined;
    },
    resumeRecording: (session, { recordingId }, nowUs) => {
      const tap = tapOf(session, recordingId);
      tap?.resume(nowUs);
      return tap !== undefined;
    },
    stopRecording: (session, { recordingId }, nowUs) => {
      const tap = tapOf(session, recordingId);
      if (tap) session.finishRecording(tap, 'stopped', nowUs);
      return tap !== undefined;
    },
    sendDtmf: (session, job) => ({ durationMs: session.digits.send(job) }),
  };
}

/** What rtp-channel runs on each media thread. */
export function startProgram(thread: MediaThread): MediaProgram<ChannelSession, ChannelContract> {
  const tools = new ThreadTools(thread);
  return {
    open: (port, init, nowUs) => ({ session: new ChannelSession(tools, port, init, nowUs), opened: null }),
    restore: (port, snapshot, nowUs) => restoreSession(tools, port, snapshot, nowUs),
    commands: commands(tools),
  };
}

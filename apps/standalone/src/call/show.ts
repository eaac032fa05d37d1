import type { ServiceError } from '@mediaplane/control';
import {
  bridgeKindToJSON,
  closeReasonToJSON,
  directionToJSON,
  dtmfFinishReasonToJSON,
  flowKindToJSON,
  playbackFinishReasonToJSON,
  recordingFinishReasonToJSON,
} from '@mediaplane/proto';
import type { CallRecord, Channel, ChannelEvent, ChannelStatistics, TransportAddress } from '@mediaplane/proto';
import { milliseconds, score, seconds } from '../report/numbers.ts';
import { fields } from '../report/table.ts';
import { enumWord, snakeCase } from './words.ts';

/** What the API answers, as lines for people. */

export function showChannel(channel: Channel): string[] {
  const { settings, local, latch, statistics } = channel;
  const { remote, codecs, labels = {} } = settings ?? {};
  const named = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const accepts = codecs?.receive.map(({ encodingName, payloadType }) => `${encodingName}/${payloadType}`) ?? [];
  return [
    channel.channelId,
    ...present([
      ['receives on', `${local?.address}:${local?.rtpPort}, RTCP ${local?.rtcpPort}`],
      ['remote', remote === undefined ? 'not set' : `${remote.address}:${remote.rtpPort}`],
      [
        'learned',
        latch?.rtpSource === undefined ? '' : `${address(latch.rtpSource)}${latch.locked ? '' : ', not locked'}`,
      ],
      ['codecs', accepts.join(', ')],
      ['direction', settings === undefined ? '' : enumWord(directionToJSON(settings.direction), 'DIRECTION_')],
      ['echo', settings?.echo === true ? 'on' : ''],
      ['bridged with', channel.peerChannelId],
      ['playing', channel.playbacks.map(({ playbackId }) => playbackId).join(', ')],
      ['recording', channel.recordings.map(({ recordingId, file }) => `${recordingId} (${file})`).join(', ')],
      ['labels', named.join(', ')],
      ['opened', channel.createTime?.toISOString() ?? ''],
      ...(statistics === undefined ? [] : statisticsRows(statistics)),
    ]),
  ];
}

/** One line for a list. */
export function channelRow({ channelId, settings, local, peerChannelId }: Channel): string[] {
  const remote = settings?.remote;
  return [
    channelId,
    `${local?.address}:${local?.rtpPort}`,
    remote === undefined ? '–' : `${remote.address}:${remote.rtpPort}`,
    peerChannelId !== '' ? `bridged with ${peerChannelId}` : settings?.echo === true ? 'echo' : '',
  ];
}

export function showRecord(record: CallRecord): string[] {
  return [
    `${record.channelId} is closed`,
    ...present([
      ['reason', enumWord(closeReasonToJSON(record.reason), 'CLOSE_REASON_')],
      ['text', record.text],
      ['lasted', seconds(record.durationMs)],
      ...(record.statistics === undefined ? [] : statisticsRows(record.statistics)),
    ]),
  ];
}

function statisticsRows({ received, sent, rtcp, dtmfReceived, dtmfSent }: ChannelStatistics): [string, string][] {
  const lost = `${received?.lostPackets ?? 0} lost, ${received?.reorderedPackets ?? 0} reordered`;
  return [
    ['received', `${received?.packets ?? 0} packets, ${lost}, jitter ${milliseconds(received?.jitterMs)}`],
    ['sent', `${sent?.packets ?? 0} packets`],
    ['MOS', score(received?.mos)],
    ['round trip', milliseconds(rtcp?.roundTripMs)],
    ['digits', `${dtmfReceived} received, ${dtmfSent} sent`],
  ];
}

/** `12:04:05.123  ch_..._...  dtmf_received  5, 100 ms`. */
export function showEvent(event: ChannelEvent): string {
  const time = event.eventTime?.toISOString().slice(11, 23) ?? '';
  const name = snakeCase(event.detail?.$case ?? 'unknown');
  return `${time}  ${event.channelId}  ${name.padEnd(18)}  ${eventDetail(event)}`.trimEnd();
}

function eventDetail({ detail }: ChannelEvent): string {
  switch (detail?.$case) {
    case 'opened':
      return `${detail.value.channel?.local?.address}:${detail.value.channel?.local?.rtpPort}`;
    case 'updated':
      return detail.value.updatedPaths.join(', ');
    case 'bridged':
      return `with ${detail.value.peerChannelId}, ${enumWord(bridgeKindToJSON(detail.value.kind), 'BRIDGE_KIND_')}`;
    case 'unbridged':
      return `from ${detail.value.peerChannelId}`;
    case 'playbackStarted':
    case 'playbackPaused':
    case 'playbackResumed':
      return detail.value.playback?.playbackId ?? '';
    case 'playbackFinished': {
      const reason = enumWord(playbackFinishReasonToJSON(detail.value.reason), 'PLAYBACK_FINISH_REASON_');
      return `${detail.value.playback?.playbackId}, ${reason}`;
    }
    case 'recordingStarted':
    case 'recordingPaused':
    case 'recordingResumed':
      return detail.value.recording?.file ?? '';
    case 'recordingFinished': {
      const reason = enumWord(recordingFinishReasonToJSON(detail.value.reason), 'RECORDING_FINISH_REASON_');
      const { file, durationMs = 0 } = detail.value.recording ?? {};
      return `${file}, ${seconds(durationMs)}, ${reason}${detail.value.error === '' ? '' : `: ${detail.value.error}`}`;
    }
    case 'dtmfReceived':
      return `${detail.value.digit}, ${detail.value.durationMs} ms`;
    case 'dtmfSent':
      return detail.value.digit;
    case 'dtmfFinished':
      return `${detail.value.digits}, ${enumWord(dtmfFinishReasonToJSON(detail.value.reason), 'DTMF_FINISH_REASON_')}`;
    case 'remoteSourceChanged': {
      const { flow, current } = detail.value;
      return `${enumWord(flowKindToJSON(flow), 'FLOW_KIND_')} from ${address(current)}`;
    }
    case 'mediaStarted':
      return `from ${address(detail.value.source)}`;
    case 'mediaIdle':
      return `silent for ${seconds(detail.value.silentMs)}`;
    case 'closed':
      return enumWord(closeReasonToJSON(detail.value.record?.reason ?? 0), 'CLOSE_REASON_');
    case undefined:
      return 'of a kind that this client does not know';
  }
}

/** What the service said, with each field that it refused. */
export function showError(error: ServiceError, target: string): string[] {
  if (error.code === 'UNAVAILABLE' && error.reason === 'UNAVAILABLE') {
    const head = `nobody answers at ${target}: is mediaplane running there (npm start)? Try --address <host:port>, or --tls.`;
    return [head, `  ${error.message}`];
  }
  const fieldLines = (error.fieldViolations ?? []).map(({ field, description }) => `  ${field}: ${description}`);
  const retry = error.retryAfterMs === undefined ? [] : [`  try again in ${seconds(error.retryAfterMs)}`];
  const head = `${error.code} ${error.reason}`;
  return [fieldLines.length === 0 ? `${head}: ${error.message}` : `${head}:`, ...fieldLines, ...retry];
}

function present(rows: readonly [string, string][]): string[] {
  return fields(rows.filter(([, value]) => value !== ''));
}

function address(transport: TransportAddress | undefined): string {
  return transport === undefined ? 'nowhere' : `${transport.address}:${transport.port}`;
}

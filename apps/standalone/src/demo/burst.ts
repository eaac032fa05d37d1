import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import { Pacer, RtpPhone, writeRtp } from '@mediaplane/testkit';
import { mediaCpuUs } from './media-cpu.ts';

const CHANNELS = 96;
/** BatchOpenChannels takes at most 32. */
const BATCH = 32;
/** Half of what a phone takes, so that fewer channels are a load. */
const FRAME_US = 10_000;
/** Packets are spread over the frame, as those of as many phones would be. */
const TICKS_PER_FRAME = 8;
/** What runs for the first time runs slowly: code is compiled, caches fill. */
const WARM_UP_FRAMES = 50;
const MEASURED_FRAMES = 60;
const PAYLOAD_BYTES = 160;
const RTP_SEQUENCE_OFFSET = 2;
const RTP_TIMESTAMP_OFFSET = 4;
const SAMPLES_PER_FRAME = 160;
const SETTLE_MS = 30;

export interface BurstFacts {
  readonly channels: number;
  readonly packets: number;
  readonly lost: number;
  readonly cpuMicrosPerPacket: number;
}

/** Sends G.711 packets through echoing channels of a service in this process, and takes the CPU time that they cost. */
export async function measureBurst(
  client: ServiceClient<RtpChannelServiceDefinition>,
  callId: string,
): Promise<BurstFacts> {
  await using cleanUp = new AsyncDisposableStack();
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  cleanUp.defer(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const filter = `labels.call = "${callId}"`;
  cleanUp.defer(async () => void (await client.batchCloseChannels({ filter, reasonText: 'the burst is over' })));

  const remote = { address: '127.0.0.1', rtpPort: socket.address().port };
  const request = { settings: { remote, echo: true, labels: { call: callId } } };
  const ports: number[] = [];
  while (ports.length < CHANNELS) {
    const { channels } = await client.batchOpenChannels({ requests: Array.from({ length: BATCH }, () => request) });
    ports.push(...channels.map(({ local }) => local?.rtpPort ?? 0));
  }

  let echoes = 0;
  socket.on('message', () => (echoes += 1));
  await sendFrames(socket, ports, 0, WARM_UP_FRAMES);
  await settle();
  const echoesBefore = echoes;
  const cpuBefore = mediaCpuUs();
  await sendFrames(socket, ports, WARM_UP_FRAMES, MEASURED_FRAMES);
  await settle();
  const packets = MEASURED_FRAMES * ports.length;
  const echoed = echoes - echoesBefore;
  const cpuMicrosPerPacket = (mediaCpuUs() - cpuBefore) / Math.max(1, echoed);
  return { channels: ports.length, packets, lost: packets - echoed, cpuMicrosPerPacket };
}

async function sendFrames(socket: Socket, ports: readonly number[], firstFrame: number, frames: number): Promise<void> {
  const packets = ports.map((_, i) => {
    const payload = new Uint8Array(PAYLOAD_BYTES).fill(0xff);
    return writeRtp({ payloadType: 0, marker: false, sequenceNumber: 0, timestamp: 0, ssrc: 1000 + i, payload });
  });
  const views = packets.map((packet) => new DataView(packet.buffer));
  const perTick = Math.ceil(ports.length / TICKS_PER_FRAME);
  const done = Promise.withResolvers<void>();
  let tick = 0;
  const pacer = new Pacer(FRAME_US / TICKS_PER_FRAME, RtpPhone.nowUs, () => {
    const frame = firstFrame + Math.floor(tick / TICKS_PER_FRAME);
    const from = (tick % TICKS_PER_FRAME) * perTick;
    for (let i = from; i < Math.min(from + perTick, ports.length); i += 1) {
      views[i].setUint16(RTP_SEQUENCE_OFFSET, frame);
      views[i].setUint32(RTP_TIMESTAMP_OFFSET, frame * SAMPLES_PER_FRAME);
      // The socket sends at once on loopback; one that could not would lose the packet, and the count tells.
      socket.send(packets[i].slice(), ports[i], '127.0.0.1');
    }
    tick += 1;
    if (tick === frames * TICKS_PER_FRAME) {
      pacer.stop();
      done.resolve();
    }
  });
  await done.promise;
}

/** The last echoes come in. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

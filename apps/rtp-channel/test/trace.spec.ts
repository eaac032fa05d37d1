import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { RtpChannelServiceDefinition } from '@mediaplane/proto';
import { startRtpChannel } from '@mediaplane/rtp-channel';
import { createClient, type RunningService } from '@mediaplane/service';
import { tempFolder } from '@mediaplane/testkit';
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace';

const exporter = new InMemorySpanExporter();
const bus = new EmbeddedBus();
let folder: Awaited<ReturnType<typeof tempFolder>>;
let services: RunningService[];

beforeAll(async () => {
  folder = await tempFolder('trace');
  const start = (): Promise<RunningService> =>
    startRtpChannel({
      bus,
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
      sources: {
        env: {
          MEDIAPLANE_GRPC_PORT: '0',
          MEDIAPLANE_ADMIN_PORT: '0',
          MEDIAPLANE_LOG_LEVEL: 'silent',
          MEDIAPLANE_TELEMETRY_TRACE_SAMPLE_PERCENT: '100',
          MEDIAPLANE_FILES_RECORDINGS_FOLDER: folder.path,
        },
      },
    });
  services = [await start(), await start()];
}, 30_000);

afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('test over', 0)));
  await bus.close();
  await folder.remove();
});

/** The span and its ancestors, youngest first. */
function lineage(span: ReadableSpan, spans: readonly ReadableSpan[]): ReadableSpan[] {
  const parent = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
  return parent ? [span, ...lineage(parent, spans)] : [span];
}

test('one trace leads from the gRPC call over the bus to the media command of another instance', async () => {
  const [a, b] = services;
  using viaA = createClient(RtpChannelServiceDefinition, a.grpcAddress);
  let channel;
  do {
    ({ channel } = await viaA.openChannel({}));
  } while (channel?.instanceId !== b.instanceId);
  exporter.reset();

  const client = trace.getTracer('test').startSpan('controller');
  await context.with(trace.setSpan(context.active(), client), () =>
    viaA.updateChannel({ channelId: channel.channelId, settings: { echo: true } }),
  );
  client.end();

  const spans = exporter.getFinishedSpans();
  const command = spans.find(({ name }) => name === 'media update');
  if (!command) throw new Error(`no media span among ${spans.map(({ name }) => name).join(', ')}`);
  const path = lineage(command, spans);
  expect(path.map(({ name }) => name)).toEqual([
    'media update',
    expect.stringMatching(/^process .*UpdateChannel$/),
    expect.stringMatching(/^send .*UpdateChannel$/),
    'mediaplane.rtp.v1.RtpChannelService/UpdateChannel',
    'controller',
  ]);
  expect(new Set(path.map((span) => span.spanContext().traceId)).size).toBe(1);
  // Names are templates: an id in them would make a metric or a query of each channel.
  expect(path.every(({ name }) => !name.includes(b.instanceId))).toBe(true);
});

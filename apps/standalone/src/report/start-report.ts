import type { ServiceFacts } from './facts.ts';
import { fields } from './table.ts';

export interface StartFacts {
  readonly version: string;
  /** `Node v24.21.0, linux x64, 2 cores` */
  readonly machine: string;
  readonly services: readonly ServiceFacts[];
  readonly bus: string;
  readonly mediaFolder: string;
  readonly recordingsFolder: string;
  readonly logFile: string;
  /** What the operator should know: ports that were taken, advice about the machine. */
  readonly notes: readonly string[];
}

/** What runs and where to reach it. */
export function renderStart(facts: StartFacts): string[] {
  const services = facts.services.flatMap((service): [string, string][] => [
    [service.name, `gRPC ${service.grpcAddress}   admin http://${service.adminAddress}   RTP ${service.rtpPorts}`],
    ['', `instance ${service.instanceId}`],
  ]);
  return [
    `mediaplane ${facts.version} on ${facts.machine}`,
    '',
    ...fields([
      ...services,
      ['bus', facts.bus],
      ['media files', facts.mediaFolder],
      ['recordings', facts.recordingsFolder],
      ['log', facts.logFile],
    ]),
    ...facts.notes.map((note) => `  ! ${note}`),
  ];
}

const DEFAULT_GRPC_ADDRESS = '127.0.0.1:7070';

/** What a newcomer can type next. */
export function renderTryIt(grpcAddress: string): string[] {
  const where = grpcAddress === DEFAULT_GRPC_ADDRESS ? '' : ` --address ${grpcAddress}`;
  const curl = `npx buf curl --http2-prior-knowledge --protocol grpc http://${grpcAddress}/mediaplane.rtp.v1.RtpChannelService/`;
  return [
    `Serving on ${grpcAddress} until Ctrl-C. In another terminal:`,
    '',
    `  npm run call -- demo${where}`,
    `  npm run call -- open --echo${where}`,
    `  npm run call -- watch${where}`,
    `  ${curl}OpenChannel -d '{}'`,
    `  ${curl}ListChannels -d '{}'`,
  ];
}

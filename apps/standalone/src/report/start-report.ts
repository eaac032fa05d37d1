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
    [service.name, `gRPC ${service.grpcAddress}   admin http://${service.adminAddress}   ${service.mediaPorts}`],
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

/** How the service is reached. */
export interface Access {
  readonly grpcAddress: string;
  readonly tls: boolean;
  /** PEM file of the authority of its certificate; undefined: one that everybody knows. */
  readonly tlsCa: string | undefined;
  /** Calls must carry a token. */
  readonly token: boolean;
}

/** What a newcomer can type next. */
export function renderTryIt(rtpChannel: Access, srtlaGateway: Access): string[] {
  const where = `${addressOption(rtpChannel)}${wayIn(rtpChannel)}`;
  const rtp = curl(rtpChannel, 'mediaplane.rtp.v1.RtpChannelService');
  const srtla = curl(srtlaGateway, 'mediaplane.srtla.v1.SrtlaGatewayService');
  return [
    `Serving on ${rtpChannel.grpcAddress} and ${srtlaGateway.grpcAddress} until Ctrl-C. In another terminal:`,
    '',
    `  npm run call -- demo${where}`,
    `  npm run call -- open --echo${where}`,
    `  npm run call -- watch${where}`,
    `  ${rtp}OpenChannel -d '{}'`,
    `  ${rtp}ListChannels -d '{}'`,
    `  ${srtla}CreateListener -d '${JSON.stringify(EXAMPLE_LISTENER)}'`,
    `  ${srtla}ListGroups -d '{}'`,
    `  ${srtla}ListUplinks -d '{}'`,
  ];
}

/** Bonding senders call it on 5000; what they send goes to an SRT server on 9000. */
const EXAMPLE_LISTENER = {
  settings: { name: 'main', port: 5000, ingest: { fixed: { host: '127.0.0.1', port: 9000 } } },
};

function addressOption({ grpcAddress }: Access): string {
  return grpcAddress === DEFAULT_GRPC_ADDRESS ? '' : ` --address ${grpcAddress}`;
}

/** Options of our client. */
function wayIn({ tls, tlsCa, token }: Access): string {
  const trust = tls ? (tlsCa === undefined ? ' --tls' : ` --tls-ca ${tlsCa}`) : '';
  return `${trust}${token ? ' --token <token>' : ''}`;
}

/** Up to the name of a method. */
function curl({ grpcAddress, tls, tlsCa, token }: Access, service: string): string {
  const transport = tls ? (tlsCa === undefined ? '' : `--cacert ${tlsCa} `) : '--http2-prior-knowledge ';
  const header = token ? "-H 'authorization: Bearer <token>' " : '';
  return `npx buf curl ${transport}${header}--protocol grpc http${tls ? 's' : ''}://${grpcAddress}/${service}/`;
}

import { expect, test } from '@jest/globals';
import { progressBar } from './numbers.ts';
import { renderStart, renderTryIt } from './start-report.ts';

test('services, folders and notes are listed', () => {
  const text = renderStart({
    version: '1.2.3',
    machine: 'Node v24, 2 cores',
    services: [
      {
        name: 'rtp-channel',
        instanceId: 'abc',
        grpcAddress: '127.0.0.1:7070',
        adminAddress: '127.0.0.1:9070',
        mediaPorts: 'RTP 10000-29999',
      },
    ],
    bus: 'in this process',
    mediaFolder: 'media',
    recordingsFolder: 'recordings',
    logFile: 'x.log',
    notes: ['port 9070 is taken'],
  }).join('\n');
  expect(text).toContain('mediaplane 1.2.3 on Node v24, 2 cores');
  expect(text).toMatch(/rtp-channel +gRPC 127\.0\.0\.1:7070 +admin http:\/\/127\.0\.0\.1:9070 +RTP 10000-29999/);
  expect(text).toContain('  ! port 9070 is taken');
});

const PLAIN = { tls: false, tlsCa: undefined, token: false };

test('lines to try name the address only where it is not the default', () => {
  const gateway = { ...PLAIN, grpcAddress: '127.0.0.1:7071' };
  const text = renderTryIt({ ...PLAIN, grpcAddress: '127.0.0.1:7070' }, gateway).join('\n');
  expect(text).toContain('npm run call -- demo\n');
  expect(text).toContain("http://127.0.0.1:7071/mediaplane.srtla.v1.SrtlaGatewayService/ListGroups -d '{}'");
  const elsewhere = renderTryIt({ ...PLAIN, grpcAddress: '127.0.0.1:40001' }, gateway).join('\n');
  expect(elsewhere).toContain('npm run call -- demo --address 127.0.0.1:40001\n');
  expect(elsewhere).toContain('http://127.0.0.1:40001/mediaplane.rtp.v1.RtpChannelService/OpenChannel');
});

test('lines to try name what gets one in: trust, and a token', () => {
  const known = { grpcAddress: '127.0.0.1:7070', tls: true, tlsCa: undefined, token: false };
  const own = { grpcAddress: '127.0.0.1:7071', tls: true, tlsCa: 'ca.pem', token: true };
  const text = renderTryIt(known, own).join('\n');
  expect(text).toContain('npm run call -- demo --tls\n');
  expect(text).toContain('npx buf curl --protocol grpc https://127.0.0.1:7070/');
  const getIn =
    "npx buf curl --cacert ca.pem -H 'authorization: Bearer <token>' --protocol grpc https://127.0.0.1:7071/";
  expect(text).toContain(getIn);
  const trusted = renderTryIt({ ...own, grpcAddress: '127.0.0.1:7070' }, own).join('\n');
  expect(trusted).toContain('npm run call -- demo --tls-ca ca.pem --token <token>\n');
});

test('a progress bar stays within its width', () => {
  expect([-1, 0, 0.5, 1, 7].map((share) => progressBar(share, 4))).toEqual([
    '[░░░░]',
    '[░░░░]',
    '[██░░]',
    '[████]',
    '[████]',
  ]);
});

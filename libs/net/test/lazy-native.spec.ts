import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** Opens a socket and says whether koffi's binary is mapped into the process. */
const program = (implementation: string): string => `
  import { readFileSync } from 'node:fs';
  const net = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)});
  const sockets = net.createUdpSockets('${implementation}');
  const io = net.createPacketIo({ implementation: '${implementation}', doorbell: net.createDoorbell('${implementation}') });
  await io.attach(await sockets.open({ address: '127.0.0.1', port: 0 }), 1);
  io.close();
  console.log(readFileSync('/proc/self/maps', 'latin1').includes('koffi'));`;

test.each([
  ['native', 'true'],
  ['dgram', 'false'],
])('%s loads native code: %s', async (implementation, loaded) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    program(implementation),
  ]);
  expect(stdout.trim()).toBe(loaded);
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);

/** Opens sockets until one is refused, closes them all and opens one more. */
const program = (implementation: string): string => `
  const net = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)});
  const sockets = net.createUdpSockets('${implementation}');
  const io = net.createPacketIo({ implementation: '${implementation}' });
  const handles = [];
  const indexes = [];
  const open = async () => {
    const handle = await sockets.open({ address: '127.0.0.1', port: 0 });
    handles.push(handle);
    indexes.push(await io.attach(handle, 1));
  };
  let code = 'none';
  while (code === 'none' && handles.length < 200) await open().catch((error) => (code = error.code));
  for (const index of indexes) io.detach(index);
  for (const handle of handles) sockets.close(handle);
  await new Promise((resolve) => setImmediate(resolve));
  await open();
  console.log(code);
  io.close();
  for (const handle of handles) sockets.close(handle);`;

test.each(['native', 'dgram'])(
  '%s reports that the process may open no more, and goes on when it may',
  async (implementation) => {
    const { stdout } = await run('sh', [
      '-c',
      'ulimit -n 100 && exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      program(implementation),
    ]);
    expect(stdout.trim()).toBe('too-many-files');
  },
);

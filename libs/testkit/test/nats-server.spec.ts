import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describeIf } from '../src/describe-if.ts';
import { startNatsServer } from '../src/nats-server.ts';
import { tempFolder } from '../src/temp-folder.ts';

/** The INFO line with which a NATS server greets, as an object. */
function greeting(port: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(JSON.parse(data.toString('utf8').replace(/^INFO /, '')));
    });
  });
}

describeIf('nats-server', 'startNatsServer', () => {
  test('accepts connections, comes back on the same port and store, and is gone after stop', async () => {
    const server = await startNatsServer();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await greeting(server.port)).toMatchObject({ port: server.port, jetstream: true });
    const { pid, storeDir } = server;

    await server.halt('SIGKILL');
    expect(server.isRunning).toBe(false);
    await expect(greeting(server.port)).rejects.toThrow('ECONNREFUSED');
    await server.resume();
    expect(server.pid).not.toBe(pid);
    expect(await greeting(server.port)).toMatchObject({ port: server.port });

    await server.restart();
    expect(await greeting(server.port)).toMatchObject({ port: server.port });
    await server.stop();
    await expect(greeting(server.port)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(storeDir)).toBe(false);
  });

  test('two at once have their own ports; a given store stays; JetStream can be left out', async () => {
    await using folder = await tempFolder();
    await using first = await startNatsServer({ storeDir: folder.path });
    await using second = await startNatsServer({ jetstream: false });
    expect(second.port).not.toBe(first.port);
    expect(await greeting(second.port)).not.toHaveProperty('jetstream');
    await first.stop();
    expect(existsSync(folder.path)).toBe(true);
  });

  test('a server that cannot start fails with its log', async () => {
    await using first = await startNatsServer({ jetstream: false });
    await expect(startNatsServer({ jetstream: false, port: first.port })).rejects.toThrow('address already in use');
  });
});

describe('describeIf', () => {
  describeIf(['sh', 'ls'], 'with programs that are there', (paths) => {
    test('gets their paths', () => {
      expect(paths.sh).toMatch(/^\/.*\/sh$/);
      expect(paths.ls).toMatch(/^\/.*\/ls$/);
    });
  });
});

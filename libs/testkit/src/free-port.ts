import { createServer } from 'node:net';

/**
 * A TCP port of `host` that was free a moment ago. Somebody else may take it before you do: let servers choose (port 0)
 * and say what they chose wherever they can.
 */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no TCP port'));
        else resolve(address.port);
      });
    });
  });
}

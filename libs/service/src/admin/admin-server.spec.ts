import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AdminServer } from './admin-server.ts';

let unhealthy: string | undefined;
let unready: string | undefined;
const admin = new AdminServer({
  metrics: async () => 'toy_total 1\n',
  unhealthy: () => unhealthy,
  unready: () => unready,
  status: () => ({ service: 'toy' }),
});
let base = '';
beforeAll(async () => {
  base = `http://127.0.0.1:${await admin.listen('127.0.0.1', 0)}`;
});
afterAll(() => admin.stop());

const get = async (path: string, init?: RequestInit): Promise<[number, string]> => {
  const response = await fetch(base + path, init);
  return [response.status, await response.text()];
};

test('metrics and status', async () => {
  expect(await get('/metrics')).toEqual([200, 'toy_total 1\n']);
  expect(JSON.parse((await get('/'))[1])).toEqual({ service: 'toy' });
});

test('health and readiness say why', async () => {
  expect(await get('/healthz')).toEqual([200, 'ok\n']);
  unhealthy = 'media thread 0 has been stalled for 3 s';
  expect(await get('/healthz')).toEqual([503, `${unhealthy}\n`]);
  expect(await get('/readyz?verbose=1')).toEqual([200, 'ok\n']);
  unready = 'draining';
  expect(await get('/readyz')).toEqual([503, 'draining\n']);
});

test('nothing else', async () => {
  expect((await get('/secret'))[0]).toBe(404);
  expect((await get('/metrics', { method: 'POST' }))[0]).toBe(405);
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { TestProcess, tempFolder } from '@mediaplane/testkit';

const PROGRAM = fileURLToPath(new URL('./cached-program.ts', import.meta.url));
const OURS = fileURLToPath(new URL('../../../.cache/compile', import.meta.url));

/** Where a program and its thread keep what they compile. */
async function folders(env: Readonly<Record<string, string | undefined>>): Promise<unknown[]> {
  await using program = await TestProcess.startNode(PROGRAM, {
    env: { NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined, ...env },
  });
  const { main, thread } = await program.waitForJson(() => true);
  expect(await program.exited).toEqual({ code: 0, signal: null });
  return [main, thread];
}

test('a program and its threads keep what they compile below the checkout', async () => {
  const [main, thread] = await folders({});
  expect(main).toMatch(OURS);
  expect(thread).toBe(main);
});

test('the environment names another folder, or none', async () => {
  await using folder = await tempFolder('compile');
  const [main, thread] = await folders({ NODE_COMPILE_CACHE: folder.path });
  expect(main).toMatch(folder.path);
  expect(thread).toBe(main);
  expect(readdirSync(folder.path, { recursive: true }).length).toBeGreaterThan(1);
  expect(await folders({ NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual([null, null]);
});

test('a folder that cannot be written keeps nobody from starting', async () => {
  const [, thread] = await folders({ NODE_COMPILE_CACHE: join(PROGRAM, 'below-a-file') });
  expect(thread).toBeNull();
});

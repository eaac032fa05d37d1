import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestProcess } from '../src/process.ts';
import { tempFolder } from '../src/temp-folder.ts';

async function script(folder: string, text: string): Promise<string> {
  const path = join(folder, 'script.mts');
  await writeFile(path, text);
  return path;
}

const FOREVER = 'setInterval(() => {}, 1000);';

describe('TestProcess', () => {
  test('runs a TypeScript file and hands out its lines and its JSON', async () => {
    await using folder = await tempFolder();
    const text = `const port: number = 7; console.log('starting'); console.log(JSON.stringify({ msg: 'ready', port })); ${FOREVER}`;
    await using child = await TestProcess.startNode(await script(folder.path, text));
    expect(await child.waitForLine(/^start/)).toBe('starting');
    expect(await child.waitForJson((entry) => entry['msg'] === 'ready')).toEqual({ msg: 'ready', port: 7 });
    expect(child.isRunning).toBe(true);
  });

  test('a wait for a line that can come no more fails at once, and says what was printed', async () => {
    await using folder = await tempFolder();
    const path = await script(folder.path, `console.error('cannot bind'); process.exitCode = 3;`);
    await using child = await TestProcess.startNode(path);
    await expect(child.waitForLine('ready', { timeoutMs: 15_000 })).rejects.toThrow(/ended with code 3[^]*cannot bind/);
    await expect(child.waitForLine('ready', { timeoutMs: 15_000 })).rejects.toThrow(/has ended/);
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(await child.waitForLine('cannot')).toBe('cannot bind');
  });

  test('stop ends politely, and by force what does not listen', async () => {
    await using folder = await tempFolder();
    const polite = await script(
      folder.path,
      `process.on('SIGTERM', () => process.exit(0)); console.log('up'); ${FOREVER}`,
    );
    const first = await TestProcess.startNode(polite);
    await first.waitForLine('up');
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(await first.stop()).toEqual({ code: 0, signal: null });

    const deaf = await script(folder.path, `process.on('SIGTERM', () => {}); console.log('up'); ${FOREVER}`);
    const second = await TestProcess.startNode(deaf);
    await second.waitForLine('up');
    expect(await second.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('a program that does not exist is an error', async () => {
    await expect(TestProcess.start('/nonexistent/program')).rejects.toThrow('ENOENT');
  });

  test('a temporary folder is gone afterwards', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder.path, 'file'), 'x');
    await folder.remove();
    expect(existsSync(folder.path)).toBe(false);
    await folder.remove();
  });
});

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@mediaplane/testkit';
import type { TempFolder } from '@mediaplane/testkit';
import { LinksFileError, LinksFileWatch } from './links-file-watch.ts';

describe('following a file of links', () => {
  let folder: TempFolder;
  let path: string;
  let told: string[];
  let wake: () => void;

  beforeEach(async () => {
    folder = await tempFolder('links');
    path = join(folder.path, 'links.txt');
    told = [];
    wake = () => undefined;
    await writeFile(path, '192.0.2.1\n192.0.2.2\n');
  });

  afterEach(() => folder.remove());

  async function following(pollMs: number): Promise<LinksFileWatch> {
    const watch = await open(pollMs);
    await watch.follow();
    return watch;
  }

  async function open(pollMs: number): Promise<LinksFileWatch> {
    const tell = (text: string): void => {
      told.push(text);
      wake();
    };
    const { watch, file } = await LinksFileWatch.open({
      path,
      pollMs,
      onLinks: ({ links }) => tell(links.map(({ address }) => address).join()),
      onRefused: ({ message }) => tell(message.replace(folder.path, '')),
    });
    expect(file.links.map(({ address }) => address)).toEqual(['192.0.2.1', '192.0.2.2']);
    return watch;
  }

  test('what is written before it is followed is told then', async () => {
    using watch = await open(60_000);
    await writeFile(path, '192.0.2.7\n');
    expect(told).toEqual([]);
    await watch.follow();
    expect(told).toEqual(['192.0.2.7']);
  });

  test('it is read again when asked for, and told when it says something else', async () => {
    using watch = await following(60_000);
    await watch.reload();
    expect(told).toEqual([]);
    await writeFile(path, '192.0.2.2\n192.0.2.3\n');
    await watch.reload();
    expect(told).toEqual(['192.0.2.2,192.0.2.3']);
  });

  test('one without a link is refused, with its lines', async () => {
    using watch = await following(60_000);
    await writeFile(path, '# none\nlte1\n');
    await watch.reload();
    await writeFile(path, '192.0.2.1\n192.0.2.2\n');
    await watch.reload();
    expect(told).toEqual(['/links.txt tells of no link; line 2: "lte1" is neither an IP address nor key=value']);
  });

  test('one that is taken away is refused', async () => {
    using watch = await following(60_000);
    await rename(path, `${path}.old`);
    await watch.reload();
    expect(told).toEqual([expect.stringContaining('ENOENT')]);
  });

  test('another that is put in its place is seen', async () => {
    using watch = await following(20);
    const seen = new Promise<void>((resolve) => (wake = resolve));
    await writeFile(`${path}.new`, '192.0.2.9\n');
    await rename(`${path}.new`, path);
    await seen;
    expect(told).toEqual(['192.0.2.9']);
    await watch.reload();
  });

  test('there is nothing to follow without a file', async () => {
    path = join(folder.path, 'none.txt');
    const options = { path, onLinks: () => undefined, onRefused: () => undefined };
    await expect(LinksFileWatch.open(options)).rejects.toBeInstanceOf(LinksFileError);
  });
});

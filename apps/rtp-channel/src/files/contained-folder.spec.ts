import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { tempFolder } from '@mediaplane/testkit';
import type { TempFolder } from '@mediaplane/testkit';
import { ContainedFolder } from './contained-folder.ts';

describe('a folder that no name escapes', () => {
  let temp: TempFolder;
  let root: string;
  let folder: ContainedFolder;

  beforeEach(async () => {
    temp = await tempFolder('contained');
    root = join(temp.path, 'root');
    await mkdir(join(root, 'sub'), { recursive: true });
    await mkdir(join(temp.path, 'root-beside'));
    await writeFile(join(temp.path, 'secret.wav'), 'secret');
    await writeFile(join(temp.path, 'root-beside', 'secret.wav'), 'secret');
    await writeFile(join(root, 'a.wav'), 'inside');
    await writeFile(join(root, 'sub', 'b.wav'), 'inside');
    folder = new ContainedFolder(root);
  });
  afterEach(() => temp.remove());

  const read = async (name: string): Promise<string> => {
    await using handle = await folder.openForReading(name);
    return handle.readFile('utf8');
  };
  const create = async (name: string): Promise<void> => {
    await using handle = await folder.create(name);
    await handle.write('new');
  };

  test('what is inside is read', async () => {
    expect(await read('a.wav')).toBe('inside');
    expect(await read('sub/b.wav')).toBe('inside');
  });

  test('a link that stays inside is followed, also when the folder is a link itself', async () => {
    await symlink(join(root, 'sub'), join(root, 'link'));
    expect(await read('link/b.wav')).toBe('inside');
    await symlink(root, join(temp.path, 'alias'));
    folder = new ContainedFolder(join(temp.path, 'alias'));
    expect(await read('a.wav')).toBe('inside');
    await create('link/new.wav');
    expect(await readFile(join(root, 'sub', 'new.wav'), 'utf8')).toBe('new');
  });

  test.each(['../secret.wav', '/etc/passwd', 'sub/../../secret.wav', 'a.wav\0', '', '.', '..'])(
    '%j is refused for reading and writing',
    async (name) => {
      await expect(read(name)).rejects.toMatchObject({ code: 'outside' });
      await expect(create(name)).rejects.toMatchObject({ code: 'outside' });
    },
  );

  test('links that lead out are refused', async () => {
    await symlink(join(temp.path, 'secret.wav'), join(root, 'file-link.wav'));
    await symlink(temp.path, join(root, 'folder-link'));
    // A folder whose name starts as ours.
    await symlink(join(temp.path, 'root-beside'), join(root, 'beside'));
    await symlink('/etc/passwd', join(root, 'passwd.wav'));
    for (const name of ['file-link.wav', 'folder-link/secret.wav', 'beside/secret.wav', 'passwd.wav']) {
      await expect(read(name)).rejects.toMatchObject({ code: 'outside' });
    }
    for (const name of ['folder-link/new.wav', 'beside/new.wav', 'folder-link/new/deep.wav']) {
      await expect(create(name)).rejects.toMatchObject({ code: 'outside' });
    }
    await expect(readFile(join(temp.path, 'new.wav'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readFile(join(temp.path, 'root-beside', 'new.wav'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a link to nothing is not written through', async () => {
    await symlink(join(temp.path, 'victim.wav'), join(root, 'dangling.wav'));
    await expect(create('dangling.wav')).rejects.toMatchObject({ code: 'exists' });
    await expect(read('dangling.wav')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('links in a circle', async () => {
    await symlink(join(root, 'one.wav'), join(root, 'two.wav'));
    await symlink(join(root, 'two.wav'), join(root, 'one.wav'));
    await expect(read('one.wav')).rejects.toMatchObject({ name: 'FileError' });
  });

  test('only regular files: no folder, pipe, socket or device', async () => {
    execFileSync('mkfifo', [join(root, 'pipe.wav')]);
    const server = createServer().listen(join(root, 'socket.wav'));
    await once(server, 'listening');
    try {
      for (const name of ['sub', 'pipe.wav', 'socket.wav']) {
        await expect(read(name)).rejects.toMatchObject({ code: 'not-a-file' });
      }
    } finally {
      server.close();
    }
    await symlink('/dev/zero', join(root, 'zero.wav'));
    await expect(read('zero.wav')).rejects.toMatchObject({ code: 'outside' });
  });

  test('what is not there', async () => {
    await expect(read('missing.wav')).rejects.toMatchObject({ code: 'not-found' });
    await expect(read('a.wav/b.wav')).rejects.toMatchObject({ code: 'not-found' });
    await expect(new ContainedFolder(join(temp.path, 'gone')).openForReading('a.wav')).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('files are made with their folders, and never over another', async () => {
    folder = new ContainedFolder(join(temp.path, 'new', 'root'));
    await create('x/y/z.wav');
    expect(await readFile(join(temp.path, 'new', 'root', 'x', 'y', 'z.wav'), 'utf8')).toBe('new');
    await expect(create('x/y/z.wav')).rejects.toMatchObject({ code: 'exists' });
    await create('x/y/other.wav');
    await folder.remove('x/y/other.wav');
    await expect(read('x/y/other.wav')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a file where a folder should be', async () => {
    await expect(create('a.wav/b.wav')).rejects.toMatchObject({ name: 'FileError' });
    await expect(create('sub')).rejects.toMatchObject({ code: 'exists' });
  });

  test('errors do not tell where the folder is', async () => {
    await expect(read('missing.wav')).rejects.toMatchObject({ message: expect.not.stringContaining(temp.path) });
  });
});

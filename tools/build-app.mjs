// Compiles src/ of the app in the current folder to dist/ with swc: the Nest shells use decorators, which Node cannot strip.
// Media threads and libraries are erasable TypeScript and run from source. Specs and what helps them (spec-*.ts) stay behind.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { transformFile } from '@swc/core';

const files = (await readdir('src', { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/^spec-|\.spec\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));

await rm('dist', { recursive: true, force: true });
await Promise.all(
  files.map(async (file) => {
    const { code, map } = await transformFile(file, {
      sourceMaps: true,
      module: { type: 'es6' },
      jsc: {
        target: 'es2024',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        rewriteRelativeImportExtensions: true,
        experimental: { keepImportAttributes: true },
      },
    });
    const out = join('dist', relative('src', file)).replace(/\.ts$/, '.js');
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${code}\n//# sourceMappingURL=${out.split('/').pop()}.map\n`);
    await writeFile(`${out}.map`, map ?? '');
  }),
);
console.log(`built ${files.length} files of ${process.cwd().split('/').slice(-2).join('/')}`);
